#include "sim/questions.h"

#include "core/serf/query_filter.h"

namespace starling::sim {

namespace {

// Longer ones are refused by every engine of the world: some would be packed into too much, some
// are too much alone.
constexpr std::size_t short_answer_max = 300;
constexpr std::size_t long_answer = 1000;
// The tag by which Question::tagged picks a member; its owner knows it by the name.
constexpr std::string_view tag_of_name = "node";

bool lets_through(NodeId node, const Event& event) {
  bool meant = true;
  const bool decoded = for_each_tag_filter(
      BytesList(event.filters, event.filter_count), [&](const TagFilter& filter) {
        meant = meant && filter.tag == tag_of_name && filter.expression == name_of(node);
      });
  return decoded && meant;
}

}  // namespace

Questions::Questions(World& world, Random random) : world_(world), random_(random) {
  world_.set_event_hook([this](Instant, NodeId node, const Event& event) {
    if (event.kind == Event::Kind::query) on_query(node, event);
  });
}

bool Questions::ask(NodeId asker, const Question& question) {
  std::vector<std::string> names;
  for (const NodeId node : question.nodes) names.push_back(name_of(node));
  const std::vector<std::string_view> views(names.begin(), names.end());
  std::vector<TagFilter> tags;
  const std::string tagged = question.tagged ? name_of(*question.tagged) : "";
  if (question.tagged) tags.push_back({.tag = tag_of_name, .expression = tagged});
  std::array<std::byte, 1024> room, scratch;
  Writer filters(room);
  const auto count = write_filters(views, tags, filters, scratch);
  CHECK(count.has_value());

  Command command;
  command.kind = Command::Kind::query;
  command.name = question.name;
  command.payload = as_bytes(question.payload);
  command.filters = filters.written();
  command.filter_count = *count;
  command.timeout = question.timeout;
  command.want_acks = question.want_acks;
  command.relay_factor = question.relay_factor;
  if (!world_.command(asker, command)) return false;
  world_.trace().note(world_.now(), "query " + name_of(asker) + " " + question.name);
  world_.checkers().queries().on_asked(world_.now(), asker, world_.last_token(), question);
  return true;
}

void Questions::on_query(NodeId node, const Event& event) {
  // Drawn whatever becomes of it, so that one answer does not shift the next.
  const bool late = random_.chance(0.2), twice = random_.chance(0.2), large = random_.chance(0.1);
  const Duration patience = event.deadline - world_.now();
  const double share = random_.unit();
  const std::size_t too_much = long_answer << random_.below(2);
  const std::size_t enough = random_.between(100, short_answer_max);

  const std::string name(event.name);
  if (world_.checkers().queries().question(name) == nullptr) return;
  const std::uint32_t life = world_.life(node);
  const std::uint64_t number = event.number;
  const std::string words = name + " by " + name_of(node) + " in life " + std::to_string(life);
  if (event.filter_count > 0) {
    if (!lets_through(node, event)) return;
    if ((event.flags & Query::flag_ack) != 0) {
      world_.at_instant(world_.now(), [this, node, life, number, name] {
        if (world_.life(node) != life) return;
        const std::string member = name_of(node);
        Command ack;
        ack.kind = Command::Kind::acknowledge;
        ack.query = number;
        ack.name = member;
        if (world_.command(node, ack)) {
          world_.checkers().queries().on_acknowledged(world_.now(), node, name);
        }
      });
    }
  }
  // The late ones come until half as long again after the deadline.
  const Duration wait = late ? Duration(static_cast<Duration::rep>(
                                   1.5 * share * static_cast<double>(patience.count())))
                             : Duration::zero();
  for (const bool again : {false, true}) {
    if (again && !twice) break;
    Answer answer{.node = node,
                  .life = life,
                  .query = number,
                  .deadline = event.deadline,
                  .name = name,
                  .payload = words + (again ? " again " : " "),
                  .again = again};
    answer.payload.resize(large ? too_much : enough, '.');
    world_.at_instant(world_.now() + wait, [this, answer] { give(answer); });
  }
}

void Questions::give(const Answer& answer) {
  if (world_.life(answer.node) != answer.life) return;
  Command respond;
  respond.kind = Command::Kind::respond;
  respond.query = answer.query;
  respond.payload = as_bytes(answer.payload);
  if (!world_.command(answer.node, respond)) return;
  QueryChecker& queries = world_.checkers().queries();
  if (answer.again || world_.now() > answer.deadline || answer.payload.size() >= long_answer) {
    queries.on_bad_answer(world_.last_token(), answer.name);
  } else {
    queries.on_answered(world_.now(), answer.node, answer.name, answer.payload);
  }
}

}  // namespace starling::sim
