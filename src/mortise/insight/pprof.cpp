// pprof's format: github.com/google/pprof, proto/profile.proto, whose field numbers these are. Where Go's own mutex profile has a convention
// (contentions/count, delay/nanoseconds) it is ours too.
#include <mortise/insight/pprof.hpp>

#include <stdexcept>

#if MORTISE_HAS_PPROF
#define ZLIB_CONST
#include <zlib.h>

#include <cmath>
#include <map>
#include <mortise/insight/loaded_files.hpp>
#include <mortise/insight/symbols.hpp>
#include <protozero/pbf_writer.hpp>
#include <unordered_map>
#endif

namespace mortise::inline MORTISE_ABI::insight {

#if MORTISE_HAS_PPROF
namespace {

using protozero::pbf_writer;

std::int64_t rounded(double n) { return static_cast<std::int64_t>(n + 0.5); }

// Compressed as a file of gzip's.
std::string gzip(const std::string& text) {
  z_stream z{};
  constexpr int with_gzip_header = 15 + 16;
  if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, with_gzip_header, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib cannot begin");
  std::string packed(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<const Bytef*>(text.data());
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  const int how = deflate(&z, Z_FINISH);
  packed.resize(z.total_out);
  deflateEnd(&z);
  if (how != Z_STREAM_END) throw std::runtime_error("zlib cannot compress a profile");
  return packed;
}

class encoder {
 public:
  explicit encoder(const recording& r) : m_files{loaded_files()} {
    text("");  // the format's rule
    value_type(1, "contentions", "count");
    value_type(1, "delay", "nanoseconds");
    value_type(1, "waits", "count");
    value_type(1, "wait", "nanoseconds");
    for (const recorded_place& p : r.places) sample(p);
    for (std::size_t i = 0; i < m_files.size(); ++i) mapping(i + 1, m_files[i]);
    m_profile.add_int64(9, r.began_ns);
    m_profile.add_int64(10, r.lasted);
    value_type(11, "delay", "nanoseconds");
    m_profile.add_int64(12, r.every);
    if (r.not_kept > 0)
      m_profile.add_int64(13, text(std::to_string(rounded(r.not_kept)) +
                                   " contentions and waits were left out: too many places"));
    m_profile.add_int64(14, text("delay"));
    // Where somebody else finds the names: nobody wants to see how they came to be recorded.
    if (!m_named) m_profile.add_int64(7, text("mortise::.*(insight::|wait::observers|wait::note_).*"));
  }

  // Strings go out as they were numbered, after everything that numbers them.
  std::string finish() {
    for (const std::string* s : m_in_order) m_profile.add_string(6, *s);
    return std::move(m_data);
  }

 private:
  std::int64_t text(const std::string& s) {
    const auto [at, is_new] = m_texts.try_emplace(s, static_cast<std::int64_t>(m_texts.size()));
    if (is_new) m_in_order.push_back(&at->first);
    return at->second;
  }

  void value_type(protozero::pbf_tag_type field, const char* type, const char* unit) {
    pbf_writer v{m_profile, field};
    v.add_int64(1, text(type));
    v.add_int64(2, text(unit));
  }

  const std::vector<code_line>& lines(std::uintptr_t address) {
    const auto known = m_lines.find(address);
    return known != m_lines.end() ? known->second : m_lines.emplace(address, lines_at(address)).first->second;
  }

  void sample(const recorded_place& p) {
    // Innermost are what unlocked and what recorded it.
    std::size_t first = 0, skipped = 0;
    while (first < p.at.depth &&
           (skipped = plumbing_of(lines(p.at.calls[first]))) == lines(p.at.calls[first]).size() &&
           skipped != 0)
      ++first;
    if (first == p.at.depth) first = skipped = 0;
    std::vector<std::uint64_t> locations;
    for (std::size_t i = first; i < p.at.depth; ++i) {
      locations.push_back(location(p.at.calls[i], i == first ? skipped : 0));
    }
    const std::int64_t values[] = {rounded(p.sum.contentions), rounded(p.sum.delay_ns), rounded(p.sum.waits),
                                   rounded(p.sum.wait_ns)};
    pbf_writer s{m_profile, 2};
    s.add_packed_uint64(1, locations.begin(), locations.end());
    s.add_packed_int64(2, std::begin(values), std::end(values));
    const std::int64_t key = text("kind"), kind = text(p.kind);
    pbf_writer label{s, 3};
    label.add_int64(1, key);
    label.add_int64(2, kind);
  }

  // Without the `skipped` innermost of the functions there.
  std::uint64_t location(std::uintptr_t address, std::size_t skipped) {
    const auto [at, is_new] = m_locations.try_emplace({address, skipped}, m_locations.size() + 1);
    if (!is_new) return at->second;
    const std::vector<code_line>& all = lines(address);
    std::vector<std::uint64_t> functions;
    for (std::size_t i = skipped; i < all.size(); ++i) functions.push_back(function(all[i]));
    pbf_writer l{m_profile, 4};
    l.add_uint64(1, at->second);
    for (std::size_t i = 0; i < m_files.size(); ++i) {
      if (address >= m_files[i].begin && address < m_files[i].end) l.add_uint64(2, i + 1);
    }
    l.add_uint64(3, address);
    for (std::size_t i = 0; i < functions.size(); ++i) {
      pbf_writer line{l, 4};
      line.add_uint64(1, functions[i]);
      line.add_int64(2, all[skipped + i].line);
    }
    return at->second;
  }

  std::uint64_t function(const code_line& c) {
    const auto [at, is_new] = m_functions.try_emplace({c.symbol, c.file}, m_functions.size() + 1);
    if (!is_new) return at->second;
    m_named = true;
    const std::int64_t name = text(c.function), symbol = text(c.symbol), file = text(c.file);
    pbf_writer f{m_profile, 5};
    f.add_uint64(1, at->second);
    f.add_int64(2, name);
    f.add_int64(3, symbol);
    f.add_int64(4, file);
    return at->second;
  }

  void mapping(std::uint64_t id, const loaded_file& file) {
    const std::int64_t name = text(file.name), build_id = text(file.build_id);
    pbf_writer m{m_profile, 3};
    m.add_uint64(1, id);
    m.add_uint64(2, file.begin);
    m.add_uint64(3, file.end);
    m.add_uint64(4, file.offset);
    m.add_int64(5, name);
    m.add_int64(6, build_id);
    m.add_bool(7, m_named);  // else whoever reads it looks for names itself
  }

  std::string m_data;
  pbf_writer m_profile{m_data};
  std::vector<loaded_file> m_files;
  std::map<std::string, std::int64_t> m_texts;
  std::vector<const std::string*> m_in_order;
  std::unordered_map<std::uintptr_t, std::vector<code_line>> m_lines;
  std::map<std::pair<std::uintptr_t, std::size_t>, std::uint64_t> m_locations;
  std::map<std::pair<std::string, std::string>, std::uint64_t> m_functions;
  bool m_named = false;
};

}  // namespace

std::string as_pprof(const recording& r) { return gzip(encoder{r}.finish()); }
bool has_pprof() noexcept { return true; }

#else

std::string as_pprof(const recording&) {
  throw std::runtime_error("a profile cannot be written: this build has no protozero or no zlib");
}
bool has_pprof() noexcept { return false; }

#endif

}  // namespace mortise::inline MORTISE_ABI::insight
