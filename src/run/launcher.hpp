// PG regime: the launcher, a static worker for those who preload the library.
#pragma once

namespace etl::run {

// Registers the launcher if the library is being preloaded; does nothing otherwise. Called once from _PG_init.
void register_launcher();

// Wakes the launcher, if there is one, because a worker of this database died. Safe while the process exits.
void tell_launcher() noexcept;

} // namespace etl::run
