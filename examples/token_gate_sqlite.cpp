// A table that refuses late writers: the highest token is a row beside the data, compared and raised in the transaction that writes them.
#include <sqlite3.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <mortise/base/token_gate.hpp>
#include <stdexcept>
#include <string>

namespace {

class fenced_account {
 public:
  explicit fenced_account(const char* where) {
    sqlite3* opened = nullptr;
    const int how = sqlite3_open(where, &opened);
    m_db.reset(opened);
    if (how != SQLITE_OK) throw std::runtime_error{"cannot open the database"};
    run("CREATE TABLE gate(token INTEGER NOT NULL); INSERT INTO gate VALUES(0);"
        "CREATE TABLE account(owner TEXT PRIMARY KEY, balance INTEGER NOT NULL)");
  }

  // False: somebody with a higher token has written, and nothing was changed. A token is below 2^63, as etcd's revisions are.
  bool set(mortise::token t, const std::string& owner, int balance) {
    run("BEGIN IMMEDIATE");
    try {
      run("UPDATE gate SET token = ?1 WHERE token <= ?1", static_cast<sqlite3_int64>(t));
      if (sqlite3_changes(m_db.get()) == 0) {
        run("ROLLBACK");
        return false;
      }
      run("INSERT INTO account VALUES(?2, ?1) ON CONFLICT(owner) DO UPDATE SET balance = ?1", balance, owner);
      run("COMMIT");
      return true;
    } catch (...) {
      sqlite3_exec(m_db.get(), "ROLLBACK", nullptr, nullptr, nullptr);
      throw;
    }
  }

  int balance(const std::string& owner) {
    const statement s = prepare("SELECT balance FROM account WHERE owner = ?1");
    sqlite3_bind_text(s.get(), 1, owner.c_str(), -1, SQLITE_TRANSIENT);
    if (sqlite3_step(s.get()) != SQLITE_ROW) throw std::runtime_error{"no such account"};
    return sqlite3_column_int(s.get(), 0);
  }

 private:
  struct closer {
    void operator()(sqlite3* db) const { sqlite3_close(db); }
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  using statement = std::unique_ptr<sqlite3_stmt, closer>;

  statement prepare(const char* sql) {
    sqlite3_stmt* s = nullptr;
    if (sqlite3_prepare_v2(m_db.get(), sql, -1, &s, nullptr) != SQLITE_OK)
      throw std::runtime_error{sqlite3_errmsg(m_db.get())};
    return statement{s};
  }
  void run(const char* sql) {
    if (sqlite3_exec(m_db.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      throw std::runtime_error{sqlite3_errmsg(m_db.get())};
  }
  void run(const char* sql, sqlite3_int64 first, const std::string& second = {}) {
    const statement s = prepare(sql);
    sqlite3_bind_int64(s.get(), 1, first);
    if (sqlite3_bind_parameter_count(s.get()) == 2)
      sqlite3_bind_text(s.get(), 2, second.c_str(), -1, SQLITE_TRANSIENT);
    if (sqlite3_step(s.get()) != SQLITE_DONE) throw std::runtime_error{sqlite3_errmsg(m_db.get())};
  }

  std::unique_ptr<sqlite3, closer> m_db;
};

}  // namespace

int main() {
  fenced_account accounts{":memory:"};
  bool as_it_should = accounts.set(41, "gopher", 100);
  as_it_should &= accounts.set(57, "gopher", 250);
  as_it_should &= !accounts.set(41, "gopher", 90);  // was paused, and believes that it still holds the lock
  as_it_should &= accounts.set(57, "gopher", 240);
  std::cout << "balance: " << accounts.balance("gopher") << '\n';
  return as_it_should && accounts.balance("gopher") == 240 ? 0 : 1;
}
