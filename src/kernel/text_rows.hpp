// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
// The kernels over texts, a text in one block of 32 bytes. Not a header like others: each text_SET.cpp includes it in
// its anonymous namespace after it has defined ETL_TARGET, the attribute that makes the compiler use the instruction
// set in a function (a template cannot be given one), and
//   struct block                             32 bytes of text
//     block(const char *)                    takes them from any address
//     mask in_range(unsigned char, unsigned char), equal(unsigned char)     a bit for each byte that is
//     block folded()                         with bit 0x20 set in each byte: small letters for large
//     block raised()                         with bit 0x20 cleared in each byte from 0x40 on
//     void store(char *)
//     void store_kept(mask, char *)          those of the bits one after the other, and anything up to 32 bytes
//   mask                                     an unsigned integer of 64 bits

constexpr std::size_t block_size = 32;

constexpr mask bits_below(std::size_t size) noexcept {
    return (mask{1} << size) - 1;
}

ETL_TARGET inline unsigned count(mask bits) noexcept {
    return static_cast<unsigned>(__builtin_popcountll(bits));
}

ETL_TARGET void clean_vin_rows(const text_column &texts, std::size_t n, const short_cells &out) noexcept {
    for (std::size_t row = 0; row < n; row++) {
        const std::size_t size = texts.size(row);
        if (__builtin_expect(size > block_size, 0)) {
            clean_vin_row(texts, row, out);
            continue;
        }
        const block bytes(texts.at(row)), folded = bytes.folded();
        const mask kept = (bytes.in_range('0', '9') | folded.in_range('a', 'z')) & bits_below(size);
        const mask refused = (folded.equal('i') | folded.equal('o') | folded.equal('q')) & kept;
        char *const cell = out.bytes + row * vin_stride;
        cell[0] = short_header(vin_cleaner::length);
        bytes.raised().store_kept(kept, cell + 1);
        const mask null = texts.null(row);
        out.is_null[row] = (null | refused | (count(kept) ^ vin_cleaner::length)) != 0;
    }
}

// Letters of two bytes are kept only in UTF-8, where an umlaut is C3 and one of 84, 96, 9C (large), A4, B6, BC (small):
// the same bytes without and with bit 0x20. A text with any other character that is not ASCII goes row by row.
ETL_TARGET void clean_car_plate_rows(const text_column &texts, std::size_t n, const plate_alphabet &alphabet,
                                     const short_cells &out) noexcept {
    const mask umlauts_are_wide = alphabet.is_utf8 ? ~mask{0} : 0;
    for (std::size_t row = 0; row < n; row++) {
        const std::size_t size = texts.size(row);
        const block bytes(texts.at(row)), folded = bytes.folded();
        const mask within = bits_below(size & 63);
        const mask first = bytes.equal(0xc3) & within & umlauts_are_wide, second = first << 1;
        const mask beyond_ascii = bytes.in_range(0x80, 0xff) & within;
        if (__builtin_expect(size > block_size || beyond_ascii != (first | second) || (first & second), 0)) {
            clean_car_plate_row(texts, row, alphabet, out);
            continue;
        }
        const mask plain = (bytes.in_range('0', '9') | folded.in_range('a', 'z')) & within;
        const mask umlaut = (folded.equal(0xa4) | folded.equal(0xb6) | folded.equal(0xbc)) & second;
        const mask kept = plain | umlaut | umlaut >> 1;
        const std::size_t characters = count(plain) + count(umlaut);
        char *const cell = out.bytes + row * plate_stride;
        cell[0] = short_header(count(kept));
        bytes.raised().store_kept(kept, cell + 1);
        const mask null = texts.null(row);
        const mask wrong = characters - plate_cleaner::shortest > plate_cleaner::longest - plate_cleaner::shortest;
        out.is_null[row] = (null | wrong) != 0;
    }
}
