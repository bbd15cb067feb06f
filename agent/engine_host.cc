#include "agent/engine_host.h"

namespace starling::agent {

std::expected<std::unique_ptr<EngineHost>, std::string> EngineHost::start(
    const EngineOptions& options, std::vector<std::unique_ptr<io::Ports>> ports, EventLoop& loop,
    OnEvent on_event, const io::LaneGroup::Options& threads) {
  if (const auto problem = problem_with(options)) return std::unexpected(*problem);
  std::unique_ptr<EngineHost> host(new EngineHost(loop, std::move(on_event)));
  host->ports_ = std::move(ports);
  auto memory = io::MappedMemory::map({.bytes = Engine::footprint(options)});
  if (!memory) return std::unexpected(memory.error());
  host->memory_ = std::move(*memory);
  auto engine = Engine::create(options, host->memory_.bytes(), EventLoop::now());
  if (!engine) return std::unexpected(engine.error());
  host->engine_ = std::make_unique<Engine>(std::move(*engine));
  if (!host->bell_.open()) return std::unexpected("no descriptor for the engine's bell");
  loop.watch(host->bell_.descriptor(), POLLIN, [self = host.get()](short) { self->drain(); });
  std::vector<io::Ports*> by_lane;
  for (const auto& each : host->ports_) by_lane.push_back(each.get());
  auto group = io::LaneGroup::start(
      *host->engine_, by_lane, [bell = &host->bell_] { bell->ring(); }, threads);
  if (!group) return std::unexpected(group.error());
  host->threads_ = std::move(*group);
  return host;
}

EngineHost::~EngineHost() {
  stop();
}

void EngineHost::stop() {
  if (threads_) threads_->stop();
  if (bell_.open()) loop_.forget(bell_.descriptor());
}

std::uint64_t EngineHost::send(OwnedCommand command, OnAnswer on_answer) {
  const std::uint64_t token = ++last_token_;
  command.command.token = token;
  answers_.emplace(last_token_, std::move(on_answer));
  waiting_.push_back(std::move(command));
  send_waiting();
  return token;
}

void EngineHost::send_waiting() {
  bool sent = false;
  while (!waiting_.empty()) {
    OwnedCommand& next = waiting_.front();
    next.command.name = next.name;
    next.command.payload = as_bytes(next.payload);
    next.command.filters = as_bytes(next.filters);
    if (!engine_->commands().send(next.command)) break;
    waiting_.pop_front();
    sent = true;
  }
  if (sent || !waiting_.empty()) ports_.front()->wake();
}

void EngineHost::drain() {
  constexpr std::size_t events_max = 4096;
  bell_.silence();
  const std::size_t drained = engine_->events().drain(events_max, [&](const Event& event) {
    if (event.kind != Event::Kind::done && event.kind != Event::Kind::stats) {
      on_event_(event);
      return;
    }
    const auto at = answers_.find(event.token);
    if (at == answers_.end()) return;
    const OnAnswer on_answer = std::move(at->second);
    answers_.erase(at);
    on_answer(event);
  });
  if (drained == events_max) bell_.ring();  // there may be more
  send_waiting();
}

}  // namespace starling::agent
