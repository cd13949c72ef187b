#pragma once

#include <mutex>
#include <string>
#include <vector>

#include <mortise/lock/lock_order.hpp>

// Keeps the reports of lock_order instead of printing them, while it lives.
class reported_orders {
 public:
  reported_orders() {
    {
      const std::lock_guard hold{guard};
      kept.clear();
    }
    mortise::lock_order::on_cycle([](const char* text) {
      const std::lock_guard hold{guard};
      kept.emplace_back(text);
    });
  }
  ~reported_orders() { mortise::lock_order::on_cycle(nullptr); }
  reported_orders(const reported_orders&) = delete;
  reported_orders& operator=(const reported_orders&) = delete;

  static std::vector<std::string> reports() {
    const std::lock_guard hold{guard};
    return kept;
  }

 private:
  static inline std::mutex guard;
  static inline std::vector<std::string> kept;
};
