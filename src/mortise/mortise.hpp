#pragma once

// All that works within one process.

#include <mortise/base/outcome.hpp>
#include <mortise/base/version.hpp>
#include <mortise/lock/condition_variable.hpp>
#include <mortise/lock/guarded.hpp>
#include <mortise/lock/latch.hpp>
#include <mortise/lock/lock_order.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/lock/once.hpp>
#include <mortise/lock/semaphore.hpp>
#include <mortise/lock/shared_mutex.hpp>
#include <mortise/task/blocking.hpp>
#include <mortise/task/counter.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/overflow.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task.hpp>
#include <mortise/task/task_scope.hpp>
#include <mortise/task/this_task.hpp>
