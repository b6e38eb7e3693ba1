// PG regime: telling a channel which listings have another last price.
#pragma once

#include "watch/apply.hpp"

extern "C" {
#include "lib/stringinfo.h"
}

namespace etl::watch {

// Gathers the changes of a statement and sends them as few notifications, each a JSON array of
// {"portal", "lid", "old", "new"} below the 8000 bytes that a notification may have.
class news {
public:
    news(const char *portal, const char *channel, const fold::event_coding &coding);
    bool wanted() const {
        return *channel_ != '\0';
    }
    static void hear(void *self, const kernel::price_state &before, const kernel::price_state &after);
    void send();

private:
    void add(const kernel::price_state &before, const kernel::price_state &after);
    void add_price(const kernel::price_state &state);

    const char *portal_;
    const char *channel_;
    fold::event_coding coding_;
    StringInfoData batch_;
};

} // namespace etl::watch
