#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace explore {

// What it costs to take an alternative.
enum class cost : unsigned char { free, preemption, deviation };

struct budget {
  int preemptions = 0;
  int deviations = 0;
  bool allows(cost c) const noexcept {
    return c == cost::free || (c == cost::preemption ? preemptions : deviations) > 0;
  }
  void spend(cost c) noexcept {
    if (c == cost::preemption) --preemptions;
    if (c == cost::deviation) --deviations;
  }
};

// The alternatives of one choice. The first is what happens when nothing special does; it is free.
struct alternatives {
  static constexpr unsigned most = 24;
  cost costs[most];
  unsigned count = 0;
  void add(cost c) noexcept {
    if (count < most) costs[count++] = c;
  }
};

// Decides at each choice of an execution, and what to do otherwise in the next.
class search {
 public:
  virtual ~search() = default;
  virtual void begin() = 0;  // an execution
  // Of those that the budget allows; the same question is asked again at the same place if the same was answered before.
  virtual unsigned choose(const alternatives& a) = 0;
  // The same for threads; `ids` are in the order of the alternatives.
  virtual unsigned choose_thread(const alternatives& a, const unsigned* /*ids*/) { return choose(a); }
  virtual void yielded(unsigned /*thread*/) {}
  // Whether the next choice is a new one, whose state may have been seen already.
  virtual bool at_frontier() const { return false; }
  // Is called at the frontier. True: explored already with no less of a budget left.
  virtual bool seen(std::uint64_t /*state*/) { return false; }
  virtual bool next() = 0;  // after an execution; false: that was all

  budget left;                       // a choice that cannot be paid for is not asked
  std::vector<unsigned char> taken;  // in this execution
};

// Every schedule within a bound, depth first.
class exhaustive final : public search {
 public:
  explicit exhaustive(budget bound);
  void begin() override;
  unsigned choose(const alternatives& a) override;
  bool at_frontier() const override { return taken.size() == m_path.size(); }
  bool seen(std::uint64_t state) override;
  bool next() override;
  budget bound() const noexcept { return m_bound; }
  std::uint64_t states() const noexcept { return m_states; }

 private:
  struct step {
    alternatives offered;
    unsigned char chosen;
    budget before;
  };
  struct entry {
    std::uint64_t state;
    std::uint64_t explored;  // a bit for each (preemptions, deviations) with which it was
  };
  static constexpr int most = 8;  // of each budget, in `explored`
  entry& slot_for(std::uint64_t state);
  budget m_bound;
  std::vector<step> m_path;
  std::vector<entry> m_table;
  std::uint64_t m_states = 0;
};

// Random schedules by priorities (PCT): the runnable thread of the highest priority goes on; at `depth - 1` random points
// the running one falls below all others.
class random_priorities final : public search {
 public:
  random_priorities(std::uint64_t seed, std::uint64_t runs, unsigned depth)
      : m_seed{seed}, m_runs{runs}, m_depth{depth} {}
  void begin() override;
  unsigned choose(const alternatives& a) override;
  unsigned choose_thread(const alternatives& a, const unsigned* ids) override;
  void yielded(unsigned thread) override;
  bool next() override;
  static constexpr budget unlimited{1 << 20, 1 << 20};

 private:
  std::uint64_t m_seed, m_runs;
  unsigned m_depth;
  std::uint64_t m_run = 0;
  std::uint64_t m_step = 0, m_longest = 64;
  std::mt19937_64 m_random;
  std::vector<std::uint64_t> m_changes;
  std::vector<std::uint64_t> m_priorities;
  std::uint64_t m_lowest = 0;
};

// One schedule, as it was printed: the bound, and what was chosen.
class replayed final : public search {
 public:
  explicit replayed(const std::string& schedule);
  void begin() override {
    taken.clear();
    left = m_bound;
  }
  unsigned choose(const alternatives& a) override;
  bool next() override { return false; }

 private:
  budget m_bound;
  std::vector<unsigned char> m_schedule;
};

// "2,1:0x12.1.0x3.2": within 2 preemptions and 1 deviation twelve times the first alternative, once the second, ...
std::string written(budget bound, const std::vector<unsigned char>& schedule);

}  // namespace explore
