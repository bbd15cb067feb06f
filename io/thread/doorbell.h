// Doorbell: one thread tells another that there is something to look at.
//
// A descriptor that a poll loop can watch, and a flag that saves the system call while the bell
// has already been rung. Any thread rings; one thread, the owner, silences and then looks.
#pragma once

#include <atomic>

#include "core/base/time.h"
#include "io/file.h"

namespace starling::io {

class Doorbell {
 public:
  Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  // False when the system had no descriptor left.
  bool open() const { return event_.open(); }
  // Readable while rung.
  int descriptor() const { return event_.descriptor(); }

  // What was written before ring() is seen by the owner after the silence() that answers it.
  void ring();
  // Call it before looking, never after: what comes in between rings again.
  void silence();
  // Sleeps until rung or until `at_most` has passed; true when rung.
  bool wait(Duration at_most) const;

 private:
  File event_;
  std::atomic<bool> rung_ = false;
};

}  // namespace starling::io
