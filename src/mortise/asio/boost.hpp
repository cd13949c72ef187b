#pragma once

// Locks for who works with Boost.Asio: everything that <mortise/asio/standalone.hpp> says, with boost::system::error_code and
// boost::asio::use_awaitable. Where standalone Asio is used as well, it is included before any other header of Boost.Asio (boost_execution.hpp
// says why).

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <mortise/asio/boost_execution.hpp>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/version.hpp>
#include <boost/system/error_code.hpp>
#if BOOST_ASIO_VERSION >= 101900
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#endif

#include <mortise/asio/access.hpp>
#include <mortise/asio/waiting_room.hpp>
#include <mortise/base/fatal.hpp>
#include <mortise/wait/callback.hpp>
#include <mortise/wait/limit.hpp>

#define MORTISE_NET ::boost::asio
#define MORTISE_NET_ERROR ::boost::system::error_code
#define MORTISE_NET_SLOTS (BOOST_ASIO_VERSION >= 101900)
#define MORTISE_WITH_NET with_boost_asio
#define MORTISE_NET_LOCK &&
#include <mortise/asio/operations.ipp>
#undef MORTISE_NET
#undef MORTISE_NET_ERROR
#undef MORTISE_NET_SLOTS
#undef MORTISE_WITH_NET
#undef MORTISE_NET_LOCK
