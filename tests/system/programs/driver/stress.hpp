// SPDX-License-Identifier: BSD-3-Clause
// Processes whose threads call the driver at random until they are killed.
#pragma once

namespace driver {

// GUNYAH_STRESS_SEED chooses the first of them; else it is random, and printed. With `failing`, a
// share of what their calls allocate is refused: FailingAllocations says how much.
void play_random_games(bool failing);

} // namespace driver
