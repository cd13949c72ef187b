// Boost.Asio: what standalone_test.cpp asks, as far as this Boost has it.
#include <mortise/asio/boost.hpp>

#include <boost/asio.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace net = ::boost::asio;
using code = boost::system::error_code;
#if BOOST_ASIO_VERSION >= 102401
#define HAS_DEFERRED 1
using net::deferred;
#endif
#if BOOST_ASIO_VERSION >= 101900
#define HAS_SLOTS 1
#endif
#ifdef BOOST_ASIO_HAS_CO_AWAIT
#define HAS_CO_AWAIT 1
#endif

#include "async_lock_test.ipp"

#include "async_lock_ends_test.ipp"
