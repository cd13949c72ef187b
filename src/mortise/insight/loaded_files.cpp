#include <mortise/insight/loaded_files.hpp>

#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <climits>
#include <cstring>

namespace mortise::inline MORTISE_ABI::insight {
namespace {

constexpr std::uint64_t page = 4096;

std::string path_of(const dl_phdr_info& file) {
  if (file.dlpi_name != nullptr && file.dlpi_name[0] != '\0') return file.dlpi_name;
  char self[PATH_MAX];
  const auto n = ::readlink("/proc/self/exe", self, sizeof self);
  return n > 0 ? std::string(self, static_cast<std::size_t>(n)) : std::string{};
}

std::string hexadecimal(const unsigned char* bytes, std::size_t n) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < n; ++i) text.append({digits[bytes[i] >> 4], digits[bytes[i] & 15]});
  return text;
}

std::string build_id_in(const unsigned char* notes, std::size_t size) {
  const auto padded = [](std::size_t n) { return (n + 3) & ~std::size_t{3}; };
  for (std::size_t at = 0; at + sizeof(ElfW(Nhdr)) <= size;) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes + at, sizeof note);
    const std::size_t name = at + sizeof note, text = name + padded(note.n_namesz);
    if (text + note.n_descsz > size) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(notes + name, "GNU", 4) == 0)
      return hexadecimal(notes + text, note.n_descsz);
    at = text + padded(note.n_descsz);
  }
  return {};
}

int add(dl_phdr_info* file, std::size_t, void* to) {
  auto& all = *static_cast<std::vector<loaded_file>*>(to);
  std::string build_id;
  for (int i = 0; i < file->dlpi_phnum && build_id.empty(); ++i) {
    const auto& part = file->dlpi_phdr[i];
    if (part.p_type == PT_NOTE)
      build_id =
          build_id_in(reinterpret_cast<const unsigned char*>(file->dlpi_addr + part.p_vaddr), part.p_memsz);
  }
  for (int i = 0; i < file->dlpi_phnum; ++i) {
    const auto& part = file->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
    const std::uint64_t begin = file->dlpi_addr + part.p_vaddr, past = begin % page;
    all.push_back({.begin = begin - past,
                   .end = (begin + part.p_memsz + page - 1) / page * page,
                   .offset = part.p_offset - past,
                   .name = path_of(*file),
                   .build_id = build_id});
  }
  return 0;
}

}  // namespace

std::vector<loaded_file> loaded_files() {
  std::vector<loaded_file> all;
  ::dl_iterate_phdr(add, &all);
  return all;
}

}  // namespace mortise::inline MORTISE_ABI::insight
