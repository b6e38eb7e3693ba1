// PG regime: statements within statements, told apart by their command numbers.
#include "watch/nested.hpp"

#include "pg/postgres.hpp"

extern "C" {
#include "access/transam.h"
#include "access/xact.h"
#include "utils/snapmgr.h"
}

namespace etl::watch {

namespace {

TransactionId transaction = InvalidTransactionId;
CommandId latest = FirstCommandId; // of the transaction's statements that removed events

// A statement reads with the number under which it writes, and those within it have greater ones.
CommandId this_statement() {
    return ::GetActiveSnapshot()->curcid;
}

} // namespace

void note_removal() {
    const TransactionId now = ::GetTopTransactionId();
    latest = now == transaction ? Max(latest, this_statement()) : this_statement();
    transaction = now;
}

bool was_overtaken() {
    return transaction == ::GetTopTransactionId() && latest > this_statement();
}

} // namespace etl::watch
