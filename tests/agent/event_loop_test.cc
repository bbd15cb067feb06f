#include "agent/event_loop.h"

#include <sys/eventfd.h>

#include <thread>

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

TEST(EventLoop, TimersInOrderAndCancelled) {
  EventLoop loop;
  std::string order;
  loop.after(2ms, [&] { order += 'b'; });
  loop.after(1ms, [&] { order += 'a'; });
  const EventLoop::TimerId never = loop.after(1ms, [&] { order += 'x'; });
  loop.cancel(never);
  loop.after(3ms, [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(order, "ab");
}

TEST(EventLoop, DescriptorsUntilForgotten) {
  EventLoop loop;
  const io::File file(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  int calls = 0;
  loop.watch(file.descriptor(), POLLIN, [&](short events) {
    EXPECT_NE(events & POLLIN, 0);
    if (++calls == 2) loop.forget(file.descriptor());
  });
  for (int i = 0; i < 5; ++i) loop.turn(1ms);
  EXPECT_EQ(calls, 2);
}

TEST(EventLoop, InterestCanBeTakenAway) {
  EventLoop loop;
  const io::File file(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  int calls = 0;
  loop.watch(file.descriptor(), POLLIN, [&](short) { ++calls; });
  loop.change(file.descriptor(), 0);
  loop.turn(1ms);
  EXPECT_EQ(calls, 0);
}

TEST(EventLoop, PostFromAnotherThread) {
  EventLoop loop;
  std::thread::id ran_on;
  std::thread other([&] {
    loop.post([&] {
      ran_on = std::this_thread::get_id();
      loop.stop();
    });
  });
  loop.run();
  other.join();
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(EventLoop, CallbackMayForgetItself) {
  EventLoop loop;
  const io::File file(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  auto kept = std::make_shared<int>(7);
  std::weak_ptr<int> watcher = kept;
  loop.watch(file.descriptor(), POLLIN, [&loop, &file, kept](short) {
    loop.forget(file.descriptor());
    EXPECT_EQ(*kept, 7);  // what it holds outlives the call
  });
  kept.reset();
  loop.turn(1ms);
  EXPECT_TRUE(watcher.expired());
}

}  // namespace
}  // namespace starling::agent
