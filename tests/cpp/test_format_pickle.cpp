// Pickles of lists of whole numbers, and checksums: values, refusals, and damage at every place.
#include "check.h"
#include "format_case.h"
#include "format_pickle.h"
#include "format_sha256.h"

using namespace birnn;
using format_case::bytes_of;
using format_case::from_hex;

namespace {

// numpy.array([[1, 2, 300], [], [70000, -5]], dtype=object) in the protocols 2 to 4.
const char* const arrays[] = {
    "8002636e756d70792e636f72652e6d756c746961727261790a5f7265636f6e7374727563740a7100636e756d70790a6e6461727261790a"
    "71014b00857102635f636f646563730a656e636f64650a7103580100000062710458060000006c6174696e317105867106527107877108"
    "527109284b014b0385710a636e756d70790a64747970650a710b58020000004f38710c898887710d52710e284b0358010000007c710f4e"
    "4e4e4affffffff4affffffff4b3f74711062895d7111285d7112284b014b024d2c01655d71135d7114284a701101004afbffffff656574"
    "7115622e",
    "8003636e756d70792e636f72652e6d756c746961727261790a5f7265636f6e7374727563740a7100636e756d70790a6e6461727261790a"
    "71014b008571024301627103877104527105284b014b03857106636e756d70790a64747970650a710758020000004f3871088988877109"
    "52710a284b0358010000007c710b4e4e4e4affffffff4affffffff4b3f74710c62895d710d285d710e284b014b024d2c01655d710f5d71"
    "10284a701101004afbffffff6565747111622e",
    "800495a4000000000000008c156e756d70792e636f72652e6d756c74696172726179948c0c5f7265636f6e7374727563749493948c056e"
    "756d7079948c076e6461727261799493944b0085944301629487945294284b014b03859468038c0564747970659493948c024f38948988"
    "87945294284b038c017c944e4e4e4affffffff4affffffff4b3f749462895d94285d94284b014b024d2c01655d945d94284a701101004a"
    "fbffffff65657494622e"};

std::vector<std::vector<std::int32_t>> lists(const std::string& pickle) {
  return pickled_integer_lists(bytes_of(pickle));
}

}  // namespace

TEST(pickle_of_lists) {
  const std::vector<std::vector<std::int32_t>> expected{{1, 2, 300}, {}, {70000, -5}};
  for (const char* array : arrays) CHECK(lists(from_hex(array)) == expected);
}

TEST(pickle_damaged) {
  for (const char* array : arrays) {
    const std::string whole = from_hex(array);
    for (std::size_t length = 0; length < whole.size(); ++length) CHECK_ERROR(lists(whole.substr(0, length)), "file");
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(byte);
        try {
          lists(damaged);
        } catch (const Error& error) {
          CHECK(error.kind() == "file");
        }
      }
    }
  }
}

TEST(pickle_that_is_a_program) {
  CHECK_ERROR(lists("cos\nsystem\n(U\x04trueS'x'\ntR."), "file");
  CHECK_ERROR(lists(from_hex("8004") + "\x8c\x02os\x8c\x06system\x93."), "file");
  CHECK_ERROR(lists("."), "file");
  CHECK_ERROR(lists("K\x01."), "file");
  // One list many times.
  const std::string head = "cnumpy.core.multiarray\n_reconstruct\n)R(K\x01K\x01N\x89](](";
  std::string swollen = head +
                        "K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01"
                        "eq";
  swollen += std::string("\0", 1);
  for (int k = 0; k < 50; ++k) swollen += std::string("h\0", 2);
  CHECK_ERROR(lists(swollen + "etb."), "file");
}

TEST(sha256_of_all_lengths_around_a_block) {
  CHECK(sha256(bytes_of("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256(bytes_of(std::string(55, 'x'))) == "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072");
  CHECK(sha256(bytes_of(std::string(56, 'x'))) == "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e");
  CHECK(sha256(bytes_of(std::string(63, 'x'))) == "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2");
  CHECK(sha256(bytes_of(std::string(64, 'x'))) == "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c");
  CHECK(sha256(bytes_of(std::string(65, 'x'))) == "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9");
  CHECK(sha256(bytes_of(std::string(1000, 'x'))) == "44f8354494a5ba03ba1792a8d3e9c534c47a9181980fde7a3f44b06ef2ae7c7f");
}
