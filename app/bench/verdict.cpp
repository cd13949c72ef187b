#include <app/bench/verdict.hpp>

#include <fmt/format.h>

namespace app::bench {
namespace {

bool reaches(sense compare, double measured, double value) {
  return compare == sense::at_least ? measured >= value : measured <= value;
}

const outcome* named(const std::vector<outcome>& all, const std::string& name) {
  for (const outcome& o : all) {
    if (o.of.name() == name) return &o;
  }
  return nullptr;
}

const figure* sound_figure(const outcome* o, const std::string& name) {
  return o == nullptr || !o->failed.empty() ? nullptr : find(o->figures, name);
}

}  // namespace

bool meets(const bar& b, double measured) { return reaches(b.compare, measured, b.must); }
bool is_moonshot(const bar& b, double measured) {
  return b.moonshot && reaches(b.compare, measured, *b.moonshot);
}

verdict judge(const bar& b, const outcome& ours, const std::vector<outcome>& all) {
  verdict v{b};
  if (!ours.failed.empty()) {
    v.met = false;
    v.note = ours.failed;
    return v;
  }
  const figure* own = find(ours.figures, b.figure);
  if (own == nullptr) {
    v.note = ours.skipped.empty() ? "not measured" : ours.skipped;
    return v;
  }
  if (b.against.empty()) {
    v.measured = own->median();
    v.met = meets(b, *v.measured);
    return v;
  }
  const outcome* best = nullptr;
  double best_median = 0;
  for (const std::string& name : b.peers) {
    const outcome* peer = named(all, name);
    const figure* theirs = sound_figure(peer, b.figure);
    if (theirs == nullptr) {
      v.note = fmt::format("no {}", b.against);
      return v;
    }
    const double median = theirs->median();
    if (best == nullptr || (b.compare == sense::at_least ? median > best_median : median < best_median)) {
      best = peer;
      best_median = median;
    }
  }
  v.against_bench = best->of.name();
  if (b.share_from > 0) {
    const figure* share = find(ours.figures, "share");
    const figure* their_share = find(best->figures, "share");
    const double least = std::min(share == nullptr ? 0.0 : share->median(),
                                  their_share == nullptr ? 0.0 : their_share->median());
    if (least < b.share_from) {
      v.note = fmt::format("a share of {:.2f} is below {}", least, b.share_from);
      return v;
    }
  }
  if (best_median == 0) {
    v.note = fmt::format("{} measured 0", b.against);
    return v;
  }
  v.measured = own->median() / best_median;
  v.met = meets(b, *v.measured);
  return v;
}

}  // namespace app::bench
