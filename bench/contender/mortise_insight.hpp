#pragma once

#include <bench/harness/contender.hpp>

// Adds what the parts of insight cost while they are on.
void offer_insight(bench::contender& c);
