// Boundary: messages.
#include "pg/message.hpp"

namespace etl::pg {

void notice(std::string_view message, std::string_view hint) {
    call([=] {
        ereport(NOTICE, (errmsg_internal("%.*s", static_cast<int>(message.size()), message.data()),
                         hint.empty() ? 0 : errhint("%.*s", static_cast<int>(hint.size()), hint.data())));
    });
}

void warning(std::string_view message, std::string_view detail) {
    call([=] {
        ereport(WARNING,
                (errmsg_internal("%.*s", static_cast<int>(message.size()), message.data()),
                 detail.empty() ? 0 : errdetail_internal("%.*s", static_cast<int>(detail.size()), detail.data())));
    });
}

void log(std::string_view message) {
    call([=] { ereport(LOG, (errmsg_internal("%.*s", static_cast<int>(message.size()), message.data()))); });
}

} // namespace etl::pg
