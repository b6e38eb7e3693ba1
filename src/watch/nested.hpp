// PG regime: statements within statements: what a row trigger, a function or another statement trigger has done meanwhile.
#pragma once

namespace etl::watch {

// Says, in the trigger of a statement, that it has changed or removed events.
void note_removal();

// Whether a statement that ran within this one has changed or removed events: what this one added may be gone by now,
// and its transition table would not tell.
bool was_overtaken();

} // namespace etl::watch
