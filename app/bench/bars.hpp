#pragma once

#include <app/bench/cell.hpp>
#include <string>
#include <vector>

// The bars, each written once. What they are of is the plan's business.
namespace app::bench::bars {

bar p1_ops();
bar p1_cpu();
bar p2();
bar p3();
bar p3_against_go(const std::string& go);                     // as it comes
bar p3_against_best_go(const std::vector<std::string>& all);  // whatever GOMAXPROCS suits it best
bar p3_against_tokio(const std::vector<std::string>& all);
bar p4(const std::string& kind);  // fiber, coroutine
bar p4_ten_million();
bar p5(const std::string& std);
bar p6a_ops(const std::string& std);
bar p6a_wait(const std::string& std);
std::vector<bar> p6b();
bar p7(const std::string& one_worker, bool gap_shorter_than_section);
std::vector<bar> p8();
bar p11_spawn(const std::string& kind);
bar p11_switch();
bar p12();
bar f1(const std::string& who, const std::string& peer);
bar f2(const std::string& alone, const std::string& peer);
std::vector<bar> f3(const std::vector<std::string>& all);
bar f4(const std::string& who, const std::vector<std::string>& peers);
bar f5();
bar f6();
bar s1();
bar s2();
bar s3();
bar s4_ops(const std::string& robust);
bar s4_wait(const std::string& robust);
bar s5(const std::string& robust_on_threads);
bar s6();
bar s7();
bar c1_ops(const std::string& go);
bar c1_round_trips();
bar c2(const std::vector<std::string>& go);
bar c3_ops(const std::vector<std::string>& go);
bar c3_away();
bar c4();
bar c5();
bar i1();

}  // namespace app::bench::bars
