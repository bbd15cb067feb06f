#include <map>

#include "agent/cli/command.h"
#include "agent/cli/interrupt.h"
#include "agent/cli/json_text.h"
#include "agent/durations.h"
#include "agent/go_text.h"

namespace starling::agent::cli {
namespace {

struct QueryFlags {
  RpcFlags rpc;
  std::string format = "text";
  std::vector<std::string> nodes;
  std::vector<std::string> tag_pairs;
  Duration timeout{};
  bool no_ack = false;
  std::optional<int> relay_factor;
  FlagSet flags() {
    FlagSet set;
    set.text({"format", "text|json", "How to print."}, format);
    set.list({"node", "name", "Ask only this member; may be given several times."}, nodes);
    set.list({"tag", "key=regexp",
              "Ask only members with this tag in whose value the\n"
              "expression is found; may be given several times."},
             tag_pairs);
    set.custom({"timeout", "15s",
                "How long to wait for answers; by default as long as\n"
                "gossip takes in a cluster of this size."},
               [this](std::string_view text) -> std::optional<std::string> {
                 const auto parsed = parse_duration(text);
                 if (!parsed) return "parse error";
                 timeout = *parsed;
                 return std::nullopt;
               });
    set.boolean({"no-ack", "", "Members need not say that the query has arrived."}, no_ack);
    set.integer({"relay-factor", "0", "Answers come through so many other members, too."},
                relay_factor);
    rpc.define(set);
    return set;
  }
};

Help query_help() {
  QueryFlags options;
  return help_text("query [options] name [payload]",
                   "  Asks all members, or some, and shows their answers as they come.\n"
                   "  To ask a -node that nobody knows is a question without answers, as in\n"
                   "  Serf; with -strict it is an error.\n",
                   options.flags());
}

// Prints a line for each answer, and the counts at the end.
class TextAnswers {
 public:
  TextAnswers(std::ostream& out, bool show_acks) : out_(out), show_acks_(show_acks) {}
  void start(std::string_view name) { out_ << "Query '" << name << "' dispatched\n" << std::flush; }
  void add(const QueryRecord& record) {
    if (record.type == "ack") {
      ++acks_;
      out_ << "Ack from '" << record.from << "'\n";
    } else {
      ++responses_;
      std::string_view text = record.payload;
      if (text.ends_with('\n')) text.remove_suffix(1);
      out_ << "Response from '" << record.from << "': " << text << "\n";
    }
    out_.flush();
  }
  void finish() {
    if (show_acks_) out_ << "Total Acks: " << acks_ << "\n";
    out_ << "Total Responses: " << responses_ << "\n";
  }

 private:
  std::ostream& out_;
  bool show_acks_;
  std::size_t acks_ = 0, responses_ = 0;
};

int run_query(std::span<const std::string> arguments, Console& console) {
  QueryFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, query_help(), console);
  if (!positional) return positional.error();
  const auto tags = parse_tags(options.tag_pairs);
  if (!tags) {
    return console.fail("Error: " + tags.error());
  }
  if (positional->empty()) return refuse("A query name must be specified.", query_help(), console);
  if (positional->size() > 2) {
    return refuse("Too many command line arguments. Only a name and payload must be specified.",
                  query_help(), console);
  }
  const int relay_factor = options.relay_factor.value_or(0);
  if (relay_factor < 0 || relay_factor > 255) {
    return console.fail("Relay factor must be between 0 and 255");
  }
  QueryRequest request{.name = positional->front(),
                       .payload = {},
                       .nodes = options.nodes,
                       .tags = *tags,
                       .timeout_ns = options.timeout.count(),
                       .relay_factor = static_cast<std::uint64_t>(relay_factor),
                       .want_acks = !options.no_ack};
  if (positional->size() == 2) request.payload = positional->back();

  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;
  if (options.format != "text" && options.format != "json") {
    return console.fail("Invalid format: " + options.format);
  }
  if (options.rpc.strict) {
    for (const std::string& node : options.nodes) {
      const auto known = is_known(*client, node);
      if (known && *known) continue;
      return console.fail(
          "Error sending query: " +
          (known ? "no member is known by the name " + go_quote(node) : known.error()));
    }
  }
  if (const auto asked = client->query(request); !asked) {
    return console.fail("Error sending query: " + asked.error());
  }
  TextAnswers text(console.out, request.want_acks);
  QueryAnswers answers;
  const bool json = options.format == "json";
  if (!json) text.start(request.name);
  const InterruptDescriptor interrupt;
  for (;;) {
    const auto record = client->next_record(interrupt.descriptor());
    // Serf says nothing when the agent goes away, or the user.
    const bool says_why = json || console.strict;
    if (!record || !*record) {
      return says_why ? console.fail(record ? "The query was interrupted"
                                            : "The agent went away: " + record.error())
                      : 1;
    }
    const auto answer = decode_query_record(as_bytes((*record)->body));
    if (!answer) return says_why ? console.fail("The agent's answer cannot be read") : 1;
    if (answer->type == "done") break;
    // A serf agent closes its channels before it ends the stream, and may read nobody's acks and
    // answers from them meanwhile, by the hundred.
    if (answer->from.empty()) continue;
    if (!json) {
      text.add(*answer);
    } else if (answer->type == "ack") {
      answers.acks.push_back(answer->from);
    } else {
      answers.responses[answer->from] = answer->payload;
    }
  }
  if (json) {
    console.out << query_json(answers) << "\n";
  } else {
    text.finish();
  }
  return 0;
}

}  // namespace

Command query_command() {
  return {"query", "Ask the members of the cluster and show their answers", query_help(),
          run_query};
}

}  // namespace starling::agent::cli
