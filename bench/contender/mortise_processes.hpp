#pragma once

#include <bench/harness/contender.hpp>

// Adds the workloads of locks that processes share.
void offer_processes(bench::contender& c);
