#include <app/shm/show.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace app::shm {
namespace {

using mortise::shm::participant_id;
using mortise::shm::participant_info;
using mortise::shm::region_info;
using mortise::shm::verdict;

const participant_info* find(const region_info& r, participant_id id) {
  const auto at =
      std::find_if(r.participants.begin(), r.participants.end(), [id](const auto& p) { return p.id == id; });
  return at == r.participants.end() ? nullptr : &*at;
}

std::string who(const participant_info& p) {
  return fmt::format("{} {}{}{}", p.pid, p.command.empty() ? "?" : p.command,
                     p.other_namespace ? " in another pid namespace" : "",
                     p.stopped == true ? ", stopped" : "");
}

std::string name_of(const region_info& r, participant_id id) {
  const participant_info* const p = find(r, id);
  return p != nullptr ? who(*p) : "one who died";
}

std::string holder(const region_info& r) {
  if (r.holder != 0) return name_of(r, r.holder);
  return r.keeper != 0 ? name_of(r, r.keeper) + ", for its tasks" : "-";
}

nlohmann::ordered_json reference(const region_info& r, participant_id id) {
  if (id == 0) return nullptr;
  const participant_info* const p = find(r, id);
  nlohmann::ordered_json j{{"participant", id}, {"alive", p != nullptr}};
  if (p != nullptr) j["pid"] = p->pid;
  return j;
}

std::string state(const region_info& r) {
  if (!r.refused.empty()) return "refused";
  switch (r.state) {
    case verdict::unfinished: return "unfinished";
    case verdict::other_boot: return "other_boot";
    case verdict::good: break;
  }
  return "good";
}

// What there is to say of one that cannot be used as it is; nothing otherwise.
std::string trouble(const region_info& r) {
  if (!r.refused.empty()) return "refused: " + r.refused;
  if (r.state == verdict::unfinished) return "unfinished: its maker was killed; who opens it makes it anew";
  if (r.state == verdict::other_boot)
    return "from before the machine was started anew; who opens it makes it anew";
  return {};
}

std::uint64_t seconds(std::uint64_t from_ns, std::uint64_t now_ns) {
  return now_ns < from_ns ? 0 : (now_ns - from_ns) / 1'000'000'000;
}

std::string utc(std::uint64_t ns) {
  const auto t = static_cast<std::time_t>(ns / 1'000'000'000);
  std::tm parts{};
  if (::gmtime_r(&t, &parts) == nullptr) return "?";
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts);
}

}  // namespace

std::string age(std::uint64_t from_ns, std::uint64_t now_ns) {
  const std::uint64_t s = seconds(from_ns, now_ns);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}min", s / 60);
  if (s < 86'400) return fmt::format("{}h", s / 3600);
  return fmt::format("{}d", s / 86'400);
}

std::string table(const std::vector<region_info>& all, std::uint64_t now_ns) {
  using row = std::array<std::string, 7>;
  std::vector<row> rows{{"NAME", "TYPE", "SIZE", "AGE", "USERS", "WAITING", "HOLDER"}};
  for (const region_info& r : all) {
    if (const std::string why = trouble(r); !why.empty()) {
      rows.push_back({r.name, why, "", "", "", "", ""});
      continue;
    }
    rows.push_back({r.name, r.type, fmt::to_string(r.size), age(r.created_ns, now_ns),
                    fmt::to_string(r.participants.size()), fmt::to_string(r.waiting), holder(r)});
  }
  std::array<std::size_t, 7> width{};
  for (const row& cells : rows) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i != 1 || !cells[2].empty()) width[i] = std::max(width[i], cells[i].size());
    }
  }
  std::string text;
  for (const row& c : rows) {
    if (c[2].empty()) {
      text += fmt::format("{:<{}}  {}\n", c[0], width[0], c[1]);
    } else {
      text += fmt::format("{:<{}}  {:<{}}  {:>{}}  {:>{}}  {:>{}}  {:>{}}  {}\n", c[0], width[0], c[1],
                          width[1], c[2], width[2], c[3], width[3], c[4], width[4], c[5], width[5], c[6]);
    }
  }
  return text;
}

std::string details(const region_info& r, std::uint64_t now_ns) {
  std::string text = fmt::format("name          {}\nfile          {}\n", r.name, r.path);
  if (const std::string why = trouble(r); !why.empty()) text += fmt::format("state         {}\n", why);
  if (!r.refused.empty() || r.state == verdict::unfinished) return text;
  text += fmt::format("type          {}\nsize          {} bytes, aligned to {}; the file: {}\n", r.type,
                      r.size, r.alignment, r.total_size);
  text += fmt::format("age           {}, made {}\n", age(r.created_ns, now_ns), utc(r.created_ns));
  text += fmt::format("token         {}, {} tenures since it was made\n", r.token, r.token - r.first_token);
  text += fmt::format("holder        {}\n", holder(r) == "-" ? "nobody" : holder(r));
  text +=
      fmt::format("kept          {}\n", r.keeper != 0 ? "for its tasks, by " + name_of(r, r.keeper) : "no");
  if (r.owner_died) text += "died          a holder; the next one is told\n";
  text += fmt::format("waiting       {}\n", r.waiting);
  text += fmt::format("participants  {}{}\n", r.participants.size(),
                      r.open && r.participants.empty() ? ", and a process that has not used it yet" : "");
  for (const participant_info& p : r.participants) {
    text += fmt::format("  {}{}{}\n", who(p), p.id == r.holder ? ", holds it" : "",
                        p.waiting != 0 ? fmt::format(", {} waiting", p.waiting) : "");
  }
  return text;
}

nlohmann::ordered_json as_json(const region_info& r, std::uint64_t now_ns) {
  nlohmann::ordered_json j{{"name", r.name}, {"file", r.path}, {"state", state(r)}};
  if (!r.refused.empty()) j["refused"] = r.refused;
  if (!r.refused.empty() || r.state == verdict::unfinished) return j;
  j["type"] = r.type;
  j["size"] = r.size;
  j["alignment"] = r.alignment;
  j["file_size"] = r.total_size;
  j["made"] = utc(r.created_ns);
  j["age_s"] = seconds(r.created_ns, now_ns);
  j["token"] = fmt::to_string(r.token);
  j["first_token"] = fmt::to_string(r.first_token);
  j["kept"] = r.keeper != 0;
  j["owner_died"] = r.owner_died;
  j["waiting"] = r.waiting;
  j["open"] = r.open;
  j["holder"] = reference(r, r.holder);
  j["keeper"] = reference(r, r.keeper);
  j["participants"] = nlohmann::ordered_json::array();
  for (const participant_info& p : r.participants) {
    nlohmann::ordered_json one{
        {"participant", p.id}, {"pid", p.pid}, {"command", p.command}, {"waiting", p.waiting}};
    one["stopped"] = p.stopped ? nlohmann::ordered_json(*p.stopped) : nlohmann::ordered_json(nullptr);
    one["other_namespace"] = p.other_namespace;
    j["participants"].push_back(std::move(one));
  }
  return j;
}

}  // namespace app::shm
