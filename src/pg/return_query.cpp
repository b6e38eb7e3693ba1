// Boundary: a set-returning function whose rows are those of a query.
#include "pg/return_query.hpp"

extern "C" {
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "tcop/dest.h"
}

namespace etl::pg {

void return_query(FunctionCallInfo fcinfo, const string &query) {
    const char *statement = query.c_str();
    call([=] {
        ::InitMaterializedSRF(fcinfo, 0);
        auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
        DestReceiver *rows = ::CreateDestReceiver(DestTuplestore);
        ::SetTuplestoreDestReceiverParams(rows, result->setResult, result->econtext->ecxt_per_query_memory, false,
                                          result->setDesc, "the query returns other columns than the function");
        ::SPI_connect();
        SPIExecuteOptions options{};
        options.read_only = true;
        options.must_return_tuples = true;
        options.dest = rows;
        const int code = ::SPI_execute_extended(statement, &options);
        if (code < 0)
            elog(ERROR, "query failed with %s: %s", ::SPI_result_code_string(code), statement);
        rows->rDestroy(rows);
        ::SPI_finish();
    });
}

} // namespace etl::pg
