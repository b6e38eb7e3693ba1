// PG regime: may ereport
#include "function/plate_letters.hpp"

#include "pg/postgres.hpp"

extern "C" {
#include "catalog/pg_conversion.h"
#include "catalog/pg_namespace.h"
}

namespace etl::function {

namespace {

struct character {
    unsigned char bytes[MAX_CONVERSION_GROWTH * 2 + 1];
    int size;
};

// Converts one LATIN1 character to the encoding of the database; size 0 if the encoding has no such character.
character to_server_encoding(unsigned char latin1) {
    character converted{};
    const int encoding = ::GetDatabaseEncoding();
    unsigned char utf8[] = {static_cast<unsigned char>(0xc0 | latin1 >> 6),
                            static_cast<unsigned char>(0x80 | (latin1 & 0x3f))};
    unsigned char *source = utf8;
    int source_size = 2;
    int source_encoding = PG_UTF8;

    if (encoding == PG_LATIN1) {
        converted.bytes[0] = latin1;
        converted.size = 1;
        return converted;
    }
    // Not by the search_path, where anybody may have put a conversion of their own.
    Oid conversion = ::FindDefaultConversion(PG_CATALOG_NAMESPACE, source_encoding, encoding);
    if (!OidIsValid(conversion)) {
        // MULE_INTERNAL has none from UTF8.
        source = &latin1;
        source_size = 1;
        source_encoding = PG_LATIN1;
        conversion = ::FindDefaultConversion(PG_CATALOG_NAMESPACE, source_encoding, encoding);
    }
    if (!OidIsValid(conversion))
        return converted;
    if (::pg_do_encoding_conversion_buf(conversion, source_encoding, encoding, source, source_size, converted.bytes,
                                        sizeof converted.bytes, true) == source_size)
        converted.size = static_cast<int>(strlen(reinterpret_cast<const char *>(converted.bytes)));
    return converted;
}

std::string_view to_view(const character &letter) noexcept {
    return {reinterpret_cast<const char *>(letter.bytes), static_cast<std::size_t>(letter.size)};
}

kernel::plate_alphabet make_letters() {
    const int encoding = ::GetDatabaseEncoding();
    if (encoding == PG_UTF8)
        return kernel::utf8_plate_alphabet();
    if (encoding == PG_SQL_ASCII)
        return kernel::byte_plate_alphabet();
    kernel::plate_alphabet letters;
    for (int lead = 0x80; lead < 0x100; lead++) {
        const char character[MAX_MULTIBYTE_CHAR_LEN + 1] = {static_cast<char>(lead)};
        letters.size_by_lead[lead] = static_cast<std::uint8_t>(std::max(1, ::pg_encoding_mblen(encoding, character)));
    }
    for (const unsigned char capital : {0xc4, 0xd6, 0xdc}) {
        const character upper = to_server_encoding(capital);
        const character lower = to_server_encoding(static_cast<unsigned char>(capital + 0x20));
        letters.add(to_view(upper), to_view(upper));
        letters.add(to_view(lower), to_view(upper.size > 0 ? upper : lower));
    }
    return letters;
}

} // namespace

const kernel::plate_alphabet &plate_letters() {
    static_assert(std::is_trivially_destructible_v<kernel::plate_alphabet>);
    static kernel::plate_alphabet letters;
    static bool made = false;

    // Not as the initialiser of the static: an ereport would leave its guard locked.
    if (!made) {
        letters = make_letters();
        made = true;
    }
    return letters;
}

} // namespace etl::function
