// What the tests of file formats share: sample data, and ways to damage them.
#pragma once
#include <string>

#include "error.h"
#include "format_bytes.h"
#include "format_zip.h"

namespace format_case {

using birnn::ByteSpan;

inline ByteSpan bytes_of(const std::string& text) {
  return ByteSpan(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

inline std::string from_hex(const std::string& digits) {
  std::string result;
  for (std::size_t k = 0; k + 1 < digits.size(); k += 2)
    result += static_cast<char>(std::stoi(digits.substr(k, 2), nullptr, 16));
  return result;
}

// Letters from a linear congruential generator, a to d.
inline std::string letters(int count) {
  static const int numbers[8] = {0, 0, 0, 0, 1, 1, 2, 3};
  std::string result;
  std::uint64_t x = 1;
  for (int k = 0; k < count; ++k) {
    x = (x * 1103515245 + 12345) % 2147483648u;
    result += static_cast<char>('a' + numbers[x >> 28]);
  }
  return result;
}

// letters(3000), compressed by zlib at level 9: one block with codes of its own.
inline const char dynamic_block[] =
    "4d560bb20331083aabc8fdcfd008e8f6cd9bb6bb49fc02065560a1fc4734ba7b9e8942b3dff32cf67ba177dd9c27cca3f6e85ceb13d85f63"
    "11cfee33f0accc067dcc8e39de64dced09cee6f720833d9f6f0d3a6a1ff144ffcace17ea98582b17c5bc7a5f6307e3ebed5294f03a2a7629"
    "3f1310ae04ed6d5a75902fb6ab0fd94974b6a6707c27deefd9f5b6ceee7796d9f57280f2dc6a3d97f2a72aab52bdae31ce917ef073a4e729"
    "21fcdf89541b5f8a9dfa4cb6ce4f86f6e47b3b36f12a31477bf30113d9c4db495d49bd00a9743a614ee3a06ecaf0463cc571470717dca420"
    "843cab2f53cedaa223ad6ab88fde835d73403d9eae5b8a6b4ef4be77a5b4b9fc05576ea2e5c1c49045e081b4012ab1127df1a647ad8221b0"
    "9d3c068cd48640454108547a1adb81f4f3da6eb71063f034c217b65820744f730c604739490c9cb0385071d3efb1d615222c020f506eb638"
    "222ab91ab4cfb312748b0d290ad7c9a4dece16eeddda371262814b0af73589d4b1c5d9abca723df671d65860389c4acbd03052ce070a4b0c"
    "018be58870346eadd282148e07b4122af569c35b79e03a4c99b9201f739617b42b99869ad7d7eade260488db9536ed0d752e6fdc922b1b3e"
    "b4b34f955467d73df1ba2bfe6d214bc6a80dac5515953884b69ec2607357fb53ae512249889f4fef12bde2e13697589cdebba63854a2c616"
    "5e5946b08b8b89d8e813e5f6f8b0ac8aaf079f8859adfa1924879ea63599ab092dd9b13ca7e7f83ae1ee72f67f03a43e1c39639af4d67e6a"
    "6e9192898e7440f5d584527a6dc87dad5908d0446d530b7de02f23c1698e40ad8460e9bcd4ac033a6f7ad8cfe14eb977325e490815542d1c"
    "d079eab3d3d2e212464ae8e901c6b852e291b6a0bc82c6aba9ad6538cb8026788a91b9eff2f841680ba93c066e6651c3975d7f521e960227"
    "219dac67c6d6c26ec5a34f606e94f692b1b5ccbb1df8899fdd5db1d4ab5c934def608f8886d0a6bc8a1f61607588943e55e601b9f708dd6e"
    "f485b9177cb2c81bd18beb9c735e7bb3612d948e2bccd45fb96bb7f14f91c3870318181d74bdac7b4a447ce25f4396233b4033b5ffc4dc2d"
    "45a729e690f4ee5a90f2c1c2c69d5dad1aa222147daeb8a034c4faa4a357d25c3732b32904bc3b696e37f66d12f5de0681b098bdd2883439"
    "821e7651e551677962b146b97cc74a712ce34ab8b79a6ef9f22a4edd766e5ce7f145bf97be46a234d26e2219603797847f2ca953eedcb082"
    "f8f18c1f";

// An archive of one member, whose stored bytes and size may disagree with each other.
inline std::string one_member(const std::string& name, const std::string& stored, const std::string& text, int method) {
  const std::vector<std::uint8_t> whole = birnn::zip_archive({name}, {bytes_of(stored)});
  std::string file(whole.begin(), whole.end());
  const std::size_t entry = 30 + name.size() + stored.size();
  const std::uint32_t crc = birnn::crc32(bytes_of(text).data(), text.size());
  for (const std::size_t header : {std::size_t{4}, entry + 6}) {
    file[header + 4] = static_cast<char>(method);
    for (std::size_t k = 0; k < 4; ++k) {
      file[header + 10 + k] = static_cast<char>(crc >> (8 * k));
      file[header + 18 + k] = static_cast<char>(text.size() >> (8 * k));
    }
  }
  return file;
}

// Calls `use` with the data cut off at every `step`-th place, and with every `step`-th bit turned over. Errors of the
// readers are expected; anything else ends the test.
template <typename Use>
void for_each_damage(const std::string& data, Use use, std::size_t step = 1) {
  const auto tolerant = [&](const std::string& damaged) {
    try {
      use(damaged);
    } catch (const birnn::Error& error) {
      if (error.kind() != "file") throw;
    }
  };
  for (std::size_t size = 0; size < data.size(); size += step) tolerant(data.substr(0, size));
  for (std::size_t bit = 0; bit < 8 * data.size(); bit += step) {
    std::string damaged = data;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    tolerant(damaged);
  }
}

}  // namespace format_case
