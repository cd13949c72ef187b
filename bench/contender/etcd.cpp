// Locks on etcd: what parties in other programs do (workload/cluster.hpp). Built for mortise's and for etcd's own Go client.

#include <bench/harness/contender.hpp>
#include <bench/workload/cluster.hpp>

int main(int argc, char** argv) {
#ifdef MORTISE_BENCH_GO
  bench::contender c{MORTISE_BENCH_CONTENDER, MORTISE_BENCH_VERSION, "Go"};
  c.offers({"cluster_update", "goroutine",
            [](bench::keys& k, bench::json_line& l) { bench::cluster_update(k, l, "goroutine"); }})
      .offers({"cluster_update", "goroutine_behind_mutex",
               [](bench::keys& k, bench::json_line& l) {
                 bench::cluster_update(k, l, "goroutine_behind_mutex");
               }})
      .offers({"cluster_takeover", "goroutine", bench::cluster_takeover});
#else
  bench::contender c{MORTISE_BENCH_CONTENDER, MORTISE_BENCH_VERSION};
  c.offers({"cluster_update", "thread",
            [](bench::keys& k, bench::json_line& l) { bench::cluster_update(k, l, "thread"); }})
      .offers({"cluster_update", "fiber",
               [](bench::keys& k, bench::json_line& l) { bench::cluster_update(k, l, "fiber"); }})
      .offers({"cluster_takeover", "thread", bench::cluster_takeover});
#endif
  return c.main(argc, argv);
}
