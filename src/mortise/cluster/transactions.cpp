#include <mortise/cluster/transactions.hpp>

#include <utility>

namespace mortise::inline MORTISE_ABI::cluster {

namespace {

range one(const std::string& key) { return {.key = key}; }

void read_value(const place& p, std::vector<operation>& to) {
  if (!p.value.empty()) to.push_back(one(p.value));
}

void raise(const place& p, fencing f, std::vector<operation>& to) {
  if (f == fencing::raised) to.push_back(put{p.fence, {}, p.lease});
}

}  // namespace

transaction ask_for(const place& p, revision fence_changed) {
  transaction t;
  t.if_all = {{p.me, compare::which::created, 0}, {p.fence, compare::which::changed, fence_changed}};
  t.then = {put{p.me, {}, p.lease}, range{.key = p.queue, .prefix = true, .most = 2}};
  read_value(p, t.then);
  t.otherwise = {one(p.me), one(p.fence)};
  return t;
}

transaction look_before(const place& p, revision my_revision) {
  transaction t;
  t.then = {one(p.me), range{.key = p.queue, .prefix = true, .created_until = my_revision - 1}};
  read_value(p, t.then);
  return t;
}

transaction change(const place& p, revision my_revision, revision value_changed, std::string bytes, key mine,
                   fencing f) {
  transaction t;
  t.if_all = {{p.me, compare::which::created, my_revision},
              {p.value, compare::which::changed, value_changed}};
  t.then.push_back(put{p.value, std::move(bytes)});
  if (mine == key::is_given_back) {
    t.then.push_back(erase{p.me});
    raise(p, f, t.then);
  }
  t.otherwise = {one(p.me), one(p.value)};
  return t;
}

transaction give_back(const place& p, fencing f) {
  transaction t;
  t.then.push_back(erase{p.me});
  raise(p, f, t.then);
  read_value(p, t.then);
  return t;
}

transaction read_confirmed(const lock_names& names) {
  transaction t;
  t.then = {erase{names.name() + "//n"}, one(names.value())};  // there is never such a key
  return t;
}

transaction read_anywhere(const lock_names& names) {
  transaction t;
  t.then = {one(names.value())};
  t.may_be_stale = true;
  return t;
}

}  // namespace mortise::inline MORTISE_ABI::cluster
