// A TCP server on standalone Asio, whose coroutines share one map with an old thread and a fiber; and a client, over the loopback
// interface. Whoever a change came from, it is in the map in the end.
//
//     add KEY N    ->  ok
//     get KEY      ->  the sum of all that was added to KEY
//     quit         ->  bye
#include <array>
#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <asio.hpp>

#include <mortise/asio/standalone.hpp>
#include <mortise/mortise.hpp>

namespace {

using asio::ip::tcp;

using sums = mortise::guarded<std::map<std::string, long>>;

constexpr int server_threads = 3, connections = 8;
constexpr long rounds = 200;

asio::awaitable<std::string> answer(sums& state, const std::string& line) {
  std::istringstream words{line};
  std::string verb, key;
  long n = 0;
  if (words >> verb >> key >> n && verb == "add") {
    auto map = co_await mortise::async_lock(state, asio::use_awaitable);
    (*map)[key] += n;
    co_return "ok\n";
  }
  if (verb == "get") {
    auto map = co_await mortise::async_lock(state, asio::use_awaitable);
    co_return std::to_string((*map)[key]) + '\n';
  }
  co_return verb == "quit" ? "bye\n" : "what?\n";
}

asio::awaitable<void> serve(tcp::socket socket, sums& state) {
  std::string received, reply;
  while (reply != "bye\n") {
    const std::size_t n =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(received), '\n', asio::use_awaitable);
    const std::string line = received.substr(0, n);
    received.erase(0, n);
    reply = co_await answer(state, line);
    co_await asio::async_write(socket, asio::buffer(reply), asio::use_awaitable);
  }
}

asio::awaitable<void> listen(tcp::acceptor& acceptor, sums& state) {
  for (int i = 0; i < connections; ++i) {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), state), asio::detached);
  }
}

// The other side of a connection, which blocks.
class client {
 public:
  explicit client(const tcp::endpoint& where) { m_socket.connect(where); }
  std::string ask(const std::string& line) {
    asio::write(m_socket, asio::buffer(line + '\n'));
    const std::size_t n = asio::read_until(m_socket, asio::dynamic_buffer(m_received), '\n');
    std::string reply = m_received.substr(0, n - 1);
    m_received.erase(0, n);
    return reply;
  }

 private:
  asio::io_context m_context;
  tcp::socket m_socket{m_context};
  std::string m_received;
};

}  // namespace

int main() {
  sums state;
  asio::io_context server;
  tcp::acceptor acceptor{server, {asio::ip::address_v4::loopback(), 0}};  // any port that is free
  asio::co_spawn(server, listen(acceptor, state), asio::detached);
  std::vector<std::jthread> parties;
  for (int i = 0; i < server_threads; ++i) parties.emplace_back([&] { server.run(); });

  // An old thread, which blocks, and a fiber of mortise's.
  parties.emplace_back([&] {
    for (long i = 0; i < rounds; ++i) state.with([](auto& map) { map["everyone"] += 1; });
  });
  mortise::task_scope tasks;
  tasks.go([&] {
    for (long i = 0; i < rounds; ++i) {
      auto map = state.lock();
      (*map)["everyone"] += 1;
    }
  });

  std::array<bool, connections> right{};
  std::vector<std::jthread> clients;
  for (std::size_t c = 0; c < right.size(); ++c) {
    clients.emplace_back([&, c] {
      const std::string mine = "client" + std::to_string(c);
      client server_side{acceptor.local_endpoint()};
      bool good = true;
      for (long i = 1; i <= rounds; ++i) {
        good &= server_side.ask("add everyone 1") == "ok";
        good &= server_side.ask("add " + mine + " 2") == "ok";
        good &= server_side.ask("get " + mine) == std::to_string(2 * i);
      }
      right[c] = good && server_side.ask("quit") == "bye";
    });
  }
  clients.clear();  // joins
  tasks.join();
  parties.clear();

  bool all_right = true;
  for (const bool r : right) all_right &= r;
  const long everyone = state.read([](const auto& map) { return map.at("everyone"); });
  constexpr long expected = (connections + 2) * rounds;
  std::cout << "added by everyone: " << everyone << ", expected: " << expected
            << (all_right ? "" : "; a client was told something else than it had added") << '\n';
  return all_right && everyone == expected ? EXIT_SUCCESS : EXIT_FAILURE;
}
