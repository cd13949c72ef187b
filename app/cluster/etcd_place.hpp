#pragma once

// A private etcd for the tests of the cluster commands, one for all cases of a program.

#include <gtest/gtest.h>
#include <app/cluster/private_etcd.hpp>

#include <memory>
#include <string>

namespace app::cluster::test {

class with_etcd : public testing::Test {
 public:
  static void SetUpTestSuite() {
    if (mortise::app::private_etcd::is_installed()) one() = std::make_unique<mortise::app::private_etcd>();
  }
  static void TearDownTestSuite() { one().reset(); }

 protected:
  void SetUp() override {
    if (one() == nullptr) GTEST_SKIP() << "there is no etcd here";
  }
  static mortise::app::private_etcd& etcd() { return *one(); }

 private:
  static std::unique_ptr<mortise::app::private_etcd>& one() {
    static std::unique_ptr<mortise::app::private_etcd> it;
    return it;
  }
};

}  // namespace app::cluster::test
