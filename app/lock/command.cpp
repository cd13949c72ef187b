#include <app/cluster/hand_over.hpp>
#include <app/lock/command.hpp>
#include <app/lock/lock_file.hpp>
#include <app/lock/lock_until.hpp>
#include <app/lock/options.hpp>
#include <app/lock/supervise.hpp>
#include <app/run/options.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <new>

namespace app::lock {
namespace {

int fail(int code, const std::string& line) {
  fmt::print(stderr, "mortise: {}\n", usage_error{line}.what());  // one line whatever was typed
  return code;
}

int run(const options& o) {
  std::optional<std::int64_t> deadline;
  if (o.timeout_ns) deadline = monotonic_ns() + *o.timeout_ns;
  const auto held = acquire(o.name, deadline);
  if (!held) return o.conflict_code;
  if (::setenv("MORTISE_LOCK", o.name.c_str(), 1) != 0 ||
      ::setenv("MORTISE_TOKEN", std::to_string(held->token).c_str(), 1) != 0)
    throw std::bad_alloc{};
  const ended how = supervise(o.command, held->descriptor);
  if (how.signal == 0) return how.code;
  end_by(how.signal);
  return 128 + how.signal;
}

}  // namespace

int told(const std::function<int()>& runs) {
  try {
    return runs();
  } catch (const answer& a) {
    const std::string text = a.what();
    const bool all =
        std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    return all ? 0 : fail(own_error, "cannot write to standard output");
  } catch (const cannot_run& e) {
    return fail(e.code(), e.what());
  } catch (const std::bad_alloc&) {
    return fail(own_error, "no memory");
  } catch (const std::exception& e) {
    return fail(own_error, e.what());
  }
}

int command(const std::vector<std::string>& arguments) {
  return told([&] {
    const options o = parse(arguments);
    if (!o.cluster) return run(o);
    std::vector<std::string> words = arguments;
    words.insert(words.begin(), "lock");
    cluster::hand_over(words);
  });
}

}  // namespace app::lock
