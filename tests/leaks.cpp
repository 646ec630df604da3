// After every test there are as many tensors as before it, and no recorder is still told: else the program fails.
#include <weft/ops/random.h>
#include <weft/ops/recorder.h>
#include <weft/tensor/tensor.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Listener = Catch::EventListenerBase;
#else
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include <catch2/catch.hpp>
using Listener = Catch::TestEventListenerBase;
#endif

namespace {

class Leaks : public Listener {
 public:
  using Listener::Listener;

  void testCaseStarting(const Catch::TestCaseInfo& test) override {
    Listener::testCaseStarting(test);
    weft::random::default_generator();  // its state lives as long as the program
    name_ = test.name;
    before_ = weft::live_tensors();
  }
  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    Listener::testCaseEnded(stats);
    const auto left = static_cast<long long>(weft::live_tensors() - before_);
    if (left == 0 && weft::active_recorders().empty()) return;
    std::fprintf(stderr, "\"%s\" leaves %lld tensors and %zu recorders behind\n", name_.c_str(), left,
                 weft::active_recorders().size());
    if (!failed_)  // whatever Catch says in the end
      std::atexit([] {
        std::fflush(nullptr);
        std::_Exit(1);
      });
    failed_ = true;
  }

 private:
  std::string name_;
  std::int64_t before_ = 0;
  bool failed_ = false;
};

}  // namespace

CATCH_REGISTER_LISTENER(Leaks)
