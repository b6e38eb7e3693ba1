// C++ regime: which sources are captured: attaching triggers to the sources of a make, and removing them.
#pragma once

#include "catalog/definitions.hpp"

namespace etl::capture {

// Attaches what is missing of the triggers to listings, customers and counters of the make's portals and to its mapping.
// Acts as the extension's owner once it is clear that the make's owner may: TRIGGER on each of them. Waits for their
// writers, under lock_timeout, where triggers are missing. The next sync of the make compares all rows.
void watch_sources(const pg::string &make);
// Removes the triggers that no other make needs; does nothing where there are none.
void unwatch_sources(const pg::string &make);
// The same for a make that is dropped; whoever calls has checked the rights.
void release(const pg::string &make);
// After definitions have changed: sources that no watched make reads any more are left alone from now on.
void release_unneeded();
// Tells whoever changed the definitions of a make which of its sources are not captured now.
void warn_uncaptured(const pg::string &make);

} // namespace etl::capture
