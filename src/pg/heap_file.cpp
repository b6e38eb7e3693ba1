// Boundary: a heap's file, as the storage manager names it. PostgreSQL 16 renamed what names a file.
#include "pg/heap_file.hpp"

extern "C" {
#include "common/relpath.h"
}

namespace etl::pg {

namespace {

const char *path_of(Relation heap, BlockNumber segment) {
#if PG_VERSION_NUM >= 180000
    const RelPathStr found = relpathperm(*name_of_file(heap), MAIN_FORKNUM);
    const char *path = found.str;
#else
    const char *path = relpathperm(*name_of_file(heap), MAIN_FORKNUM);
#endif
    return segment == 0 ? ::pstrdup(path) : ::psprintf("%s.%u", path, segment);
}

void close_file(void *argument) {
    heap_file *file = static_cast<heap_file *>(argument);
    if (file->file >= 0)
        ::FileClose(file->file);
    file->file = -1;
}

} // namespace

void begin_file(heap_file *file, Relation heap) {
    file->heap = heap;
    file->file = -1;
    file->close.func = close_file;
    file->close.arg = file;
    ::MemoryContextRegisterResetCallback(CurrentMemoryContext, &file->close);
}

void open_segment(heap_file *file, BlockNumber segment) {
    if (file->file >= 0 && file->segment == segment)
        return;
    close_file(file);
    const char *path = path_of(file->heap, segment);
    file->file = ::PathNameOpenFile(path, O_RDWR | O_CREAT | PG_BINARY);
    if (file->file < 0)
        ereport(ERROR, (errcode_for_file_access(), errmsg("could not open file \"%s\": %m", path)));
    file->segment = segment;
}

} // namespace etl::pg
