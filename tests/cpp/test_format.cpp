// Archives, compressed data and JSON: values, refusals, and damage at every place.
#include <cmath>
#include <limits>

#include "check.h"
#include "format_case.h"
#include "format_inflate.h"
#include "format_json.h"
#include "format_zip.h"

using namespace birnn;
using format_case::bytes_of;
using format_case::from_hex;

namespace {

const std::string sentence = "to be or not to be, that is the question: to be or not to be";
// The sentence as fixed codes and as a stored block; 3,000 letters of letters() in own codes.
const char fixed_block[] = "2bc957484a55c82f52c8cb2f5128017174144a32124b14328b8174aa4261696a7149667e9e154412452500";
const char stored_block[] =
    "013c00c3ff746f206265206f72206e6f7420746f2062652c207468617420697320746865207175657374696f6e3a20746f206265206f72206e"
    "6f7420746f206265";
const char zlib_frame[] =
    "789c2bc957484a55c82f52c8cb2f5128017174144a32124b14328b8174aa4261696a7149667e9e15441245250071f61499";

std::string inflated(const std::string& data, uint64_t size) {
  std::string out(size, '\0');
  inflate(bytes_of(data), reinterpret_cast<uint8_t*>(&out[0]), size);
  return out;
}

std::string archive() {
  const std::string second(300, 'x');
  const std::vector<uint8_t> file = zip_archive({"a.txt", "dir/b"}, {bytes_of(sentence), bytes_of(second)});
  return std::string(file.begin(), file.end());
}

std::string content(const ZipMember& member) {
  std::string out(member.size, '\0');
  zip_extract(member, reinterpret_cast<uint8_t*>(&out[0]));
  return out;
}

std::string json(const std::string& text) { return write_json(parse_json(bytes_of(text))); }

}  // namespace

TEST(inflate_blocks) {
  CHECK(inflated(from_hex(fixed_block), sentence.size()) == sentence);
  CHECK(inflated(from_hex(stored_block), sentence.size()) == sentence);
  const std::string letters = format_case::letters(3000);
  CHECK(inflated(from_hex(format_case::dynamic_block), 3000) == letters);
  std::string out(100, '\0');
  CHECK(inflate_zlib(bytes_of(from_hex(zlib_frame)), reinterpret_cast<uint8_t*>(&out[0]), 100) == sentence.size());
}

TEST(inflate_wrong_sizes_and_sums) {
  CHECK_ERROR(inflated(from_hex(fixed_block), sentence.size() - 1), "file");
  CHECK_ERROR(inflated(from_hex(fixed_block), sentence.size() + 1), "file");
  CHECK_ERROR(inflated("", 1), "file");
  CHECK_ERROR(inflated("\x07", 1), "file");  // kind of block 3
  std::string frame = from_hex(zlib_frame), out(100, '\0');
  frame.back() ^= 1;
  CHECK_ERROR(inflate_zlib(bytes_of(frame), reinterpret_cast<uint8_t*>(&out[0]), 100), "file");
}

TEST(inflate_damage) {
  const std::string data = from_hex(format_case::dynamic_block);
  format_case::for_each_damage(data, [](const std::string& damaged) { inflated(damaged, 3000); });
}

TEST(zip_round_trip) {
  const std::string file = archive();
  const std::vector<ZipMember> members = zip_members(bytes_of(file));
  CHECK(members.size() == 2);
  CHECK(members[0].name == "a.txt" && content(members[0]) == sentence);
  CHECK(members[1].name == "dir/b" && content(members[1]) == std::string(300, 'x'));
}

TEST(zip_deflated_member) {
  const std::string packed = from_hex(fixed_block);
  const std::string file = format_case::one_member("a", packed, sentence, 8);
  CHECK(content(zip_members(bytes_of(file))[0]) == sentence);
}

TEST(zip_refusals) {
  using format_case::one_member;
  const auto members_of = [](const std::string& file) { return zip_members(bytes_of(file)).size(); };
  for (const char* name : {"../x", "/etc/x", "C:\\x", "..\\x", "a/../../b", "", "\xff", "a\nb"})
    CHECK_ERROR(members_of(one_member(name, "x", "x", 0)), "file");
  CHECK_ERROR(members_of(one_member(std::string(300, 'n'), "x", "x", 0)), "file");
  for (const int method : {1, 9, 12, 14, 93, 99}) CHECK_ERROR(members_of(one_member("a", "x", "x", method)), "file");
  CHECK_ERROR(members_of(""), "file");
  CHECK_ERROR(members_of("PK"), "file");
  CHECK_ERROR(members_of("x" + archive()), "file");
  CHECK_ERROR(members_of(archive() + "x"), "file");
  CHECK_ERROR(members_of(one_member("a", std::string(1000, 'x'), std::string(2000000, 'x'), 8)), "file");
  const std::vector<uint8_t> twice = zip_archive({"a", "a"}, {bytes_of(sentence), bytes_of(sentence)});
  CHECK_ERROR(members_of(std::string(twice.begin(), twice.end())), "file");
  std::string comment = archive();  // a second end record in the comment of the first
  comment[comment.size() - 2] = 22;
  const std::vector<uint8_t> empty = zip_archive({}, {});
  CHECK_ERROR(members_of(comment + std::string(empty.begin(), empty.end())), "file");
}

TEST(zip_many_members) {
  std::vector<std::string> names;
  for (int k = 0; k < 1001; ++k) names.push_back("m" + std::to_string(k));
  const std::vector<uint8_t> many = zip_archive(names, std::vector<ByteSpan>(1001));
  CHECK_ERROR(zip_members(ByteSpan(many.data(), many.size())), "file");
  names.pop_back();
  const std::vector<uint8_t> enough = zip_archive(names, std::vector<ByteSpan>(1000));
  CHECK(zip_members(ByteSpan(enough.data(), enough.size())).size() == 1000);
}

// Whatever is damaged: an error, or (in fields that say nothing) the very same members.
TEST(zip_damage) {
  format_case::for_each_damage(archive(), [](const std::string& damaged) {
    for (const ZipMember& member : zip_members(bytes_of(damaged))) {
      const std::string text = content(member);
      CHECK(text == sentence || text == std::string(300, 'x'));
    }
  });
}

TEST(crc32_of_known_text) { CHECK(crc32(reinterpret_cast<const uint8_t*>("123456789"), 9) == 0xcbf43926u); }

TEST(json_values) {
  const char text[] =
      "{\"a\": [1, -2, 0.5, 1e-07, 1.0, 0.0010000000474974513], \"b\": {\"c\": null, \"d\": true, \"e\": false}, "
      "\"f\": [], \"g\": {}, \"h\": \"\\\\ \\\" \\n \\u00e4 \\u20ac \\ud83d\\ude00\"}";
  CHECK(json(text) == text);
  CHECK(json(" [ 1 ,\n2\t] ") == "[1, 2]");
  CHECK(json("[NaN, Infinity, -Infinity]") == "[NaN, Infinity, -Infinity]");
  CHECK(json("[1e3, 1E+2, 100000, 123456789012, 9007199254740992]") ==
        "[1000.0, 100.0, 100000, 123456789012, 9007199254740992]");
  CHECK(json("\"\xc3\xa4\"") == "\"\\u00e4\"");
  CHECK(parse_json(bytes_of("\"\\ud83d\\ude00\"")).text == "\xf0\x9f\x98\x80");
  CHECK(parse_json(bytes_of("-0")).number == 0 && std::signbit(parse_json(bytes_of("-0")).number));
  CHECK(parse_json(bytes_of("1e-400")).number == 0);
}

TEST(json_shortest_digits) {
  for (const double number :
       {0.1, 1.0 / 3, 2.0 / 3, 1e21, 1e-7, 123.456, 5e-324, 1.7976931348623157e308, 0.30000000000000004}) {
    Json value(Json::Kind::real);
    value.number = number;
    CHECK_MESSAGE(parse_json(bytes_of(write_json(value))).number == number, write_json(value));
  }
  Json tenth(Json::Kind::real);
  tenth.number = 0.1;
  CHECK(write_json(tenth) == "0.1");
}

TEST(json_refusals) {
  for (const char* text : {"",
                           " ",
                           "[",
                           "{",
                           "[1",
                           "[1,]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"a\":1 \"b\":2}",
                           "\"abc",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\u0000\"",
                           "\"a\nb\"",
                           "\"\xff\"",
                           "\"\xc0\x80\"",
                           "\"\xed\xa0\x80\"",
                           "\xef\xbb\xbf{}",
                           "{} {}",
                           "[1] x",
                           "01",
                           "-",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "0x10",
                           "1e400",
                           "-1e400",
                           "18446744073709551616",
                           "tru",
                           "nul",
                           "nan",
                           "'a'",
                           "[1 // x\n]",
                           "/etc/passwd",
                           "https://x.org",
                           "{\"class_name\": 1, \"class_name\": 2}"}) {
    CHECK_MESSAGE(check::error_kind([&] { json(text); }) == "file", text);
  }
  CHECK_ERROR(json(std::string(1000000, '[')), "file");
  CHECK_ERROR(json("\"" + std::string(2000000, 'x') + "\""), "file");
  CHECK_ERROR(json("[" + std::string(17000000, ' ') + "]"), "file");
  std::string keys = "{\"k\": 0";
  for (int k = 0; k < 600000; ++k) keys += ",\"" + std::to_string(k) + "\":1";
  CHECK_ERROR(json(keys + "}"), "file");
}

TEST(json_depth) {
  const std::string deep = std::string(128, '[') + std::string(128, ']');
  CHECK(json(deep) == deep);
  CHECK_ERROR(json("[" + deep + "]"), "file");
}

TEST(json_damage) {
  format_case::for_each_damage("{\"a\": [1, -2.5e3, \"\\u00e4\"], \"b\": {\"c\": null}}",
                               [](const std::string& damaged) { json(damaged); });
}
