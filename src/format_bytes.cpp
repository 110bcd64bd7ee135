// Text in files (level L1).
#include "format_bytes.h"

namespace birnn {

bool is_utf8(const std::string& text) {
  const std::size_t n = text.size();
  for (std::size_t k = 0; k < n;) {
    const unsigned lead = static_cast<unsigned char>(text[k]);
    const int more = lead < 0x80                   ? 0
                     : lead >= 0xc2 && lead < 0xe0 ? 1
                     : lead >= 0xe0 && lead < 0xf0 ? 2
                     : lead >= 0xf0 && lead < 0xf5 ? 3
                                                   : -1;
    if (more < 0 || k + static_cast<std::size_t>(more) >= n) return false;
    std::uint32_t point = more == 0 ? lead : lead & (0x3fu >> more);
    for (int j = 1; j <= more; ++j) {
      const unsigned next = static_cast<unsigned char>(text[k + static_cast<std::size_t>(j)]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    const bool too_long = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
    if (too_long || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
    k += static_cast<std::size_t>(more) + 1;
  }
  return true;
}

}  // namespace birnn
