// Standalone Asio.
#include <mortise/asio/standalone.hpp>

#include <asio.hpp>
#if ASIO_VERSION < 102401
#include <asio/experimental/deferred.hpp>
#endif

namespace net = ::asio;
using code = net::error_code;
#if ASIO_VERSION < 102401
using net::experimental::deferred;
#else
using net::deferred;
#endif
#define HAS_DEFERRED 1
#define HAS_SLOTS 1
#ifdef ASIO_HAS_CO_AWAIT
#define HAS_CO_AWAIT 1
#endif

#include "async_lock_test.ipp"

#include "async_lock_ends_test.ipp"
