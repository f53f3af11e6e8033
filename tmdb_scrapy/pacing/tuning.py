"""The numbers of the pace, in one place. Each name ends with its unit; a share is of the present rate.

Chosen by simulation (tests/pacing/simulation.py) against token buckets, fixed and sliding windows of 20 to
100 requests a second, with round trips of 20 to 270 ms and one to four senders.
"""

from __future__ import annotations

SLOWEST_PER_S = 0.5
RETRY_AFTER_MOST_S = 300.0

# Measuring
TICK_S = 0.02
HISTORY_S = 5.0
SENT_REMEMBERED_S = 150.0
MEASURED_REQUESTS = 20
IN_USE_IDLE_SHARE = 0.2
IDLE_MEMORY_S = 0.25

# The start. Doubling every 0.3 s is the slowest that passes 3,000/s in 2 s, so the one that overshoots least.
# With long round trips, where answers come late, it takes three of them.
START_PER_S = 40.0
START_DOUBLES_S = 0.3
START_DOUBLES_ROUND_TRIPS = 3

# Where the start lands: `served / (elapsed + 0.6 s)` is near the limit of a bucket that held a second's
# worth, and of a window cut short. The silence before fills a bucket, and in it a window would refuse.
BURST_S = 0.6
LANDING_DIVISOR_MOST = 8
LANDING_SILENT_S = 0.25

# The search for a limit that is known to be near
SEARCH_GROWTH_PER_S = 0.1
SEARCH_GAIN_PER_S = 0.05  # added to the growth for each second without a refusal
GROWTH_MOST_PER_S = 0.5  # after the start, and never more in a round trip than the next
GROWTH_MOST_PER_ROUND_TRIP = 0.15

# Holding: steps back of 2 % and a climb of 2 % in 8 s stay 1 to 2 % under the limit with one refusal in about
# 8 s. Larger steps leave more unused; smaller ones gain nothing against the jitter of arrivals.
STEP_BACK_SHARE = 0.02
STEP_BACK_MOST_SHARE = 0.25
CYCLE_S = 8.0
# Refusals less than a second apart are one event: a window refuses until it ends.
STEP_AGAIN_S = 1.0
# Quiet, then a climb that doubles each second: finds a doubled limit in about 26 s, and passes the old one
# slowly if that still holds.
QUIET_S = 18.0
QUIET_DOUBLES_S = 1.0

# Where a refusal brings a Retry-After, it costs so much silence that the next has to be worth it.
CAREFUL_GROWTH_PER_S = 0.1  # of the search
CAREFUL_GROWTH_MOST_PER_S = 0.12
# Quiet, then a climb that doubles every two seconds: a doubled limit is found within two minutes.
CAREFUL_QUIET_S = 98.0
CAREFUL_LOOK_UP_PER_S = 0.0005
CAREFUL_LOOK_UP_DOUBLES_S = 2.0
HELD_ENOUGH = 1.01  # times the rate held until a look up: only what is more is gone up to
CAREFUL_EVENT_S = 0.3  # refusals so soon after another are the same event
LANDED_ABOVE_S = 2.0  # a window of a second refuses what is too fast within two
LANDED_ABOVE_SHARE = 0.85
# How far under the proven rate: so much, more for each second of silence that a refusal costs and for the
# jitter of arrivals, and twice as much when the next refusal comes sooner than SOON_S.
MARGIN_SHARE = 0.002
MARGIN_MOST_SHARE = 0.05
MARGIN_PER_SILENT_S = 0.001
MARGIN_PER_JITTER_S = 1.5
MARGIN_JITTER_MOST_SHARE = 0.01
SOON_S = 50.0
# What is under the start's own measurement when it counted for so long and then nothing more was served.
CEILING_AFTER_S = 0.45
CEILING_SERVED_SHARE = 0.6
PROVEN_LEAST_SHARE = 0.85

# Bursts, in seconds' worth of the limit, that a token bucket may hold; and the spans looked at to tell which.
BURSTS_S = (0.1, 0.2, 0.5, 1.0)
SPANS_S = (
    0.2,
    0.4,
    0.6,
    0.8,
    1,
    1.25,
    1.5,
    2,
    2.5,
    3,
    4,
    5,
    6,
    8,
    10,
    12,
    16,
    20,
    24,
    32,
    40,
    50,
    64,
    80,
    100,
    120,
)
BURST_AGREES_SHARE = 0.03
BURST_AGREES_TIMES = 2
BURST_LASTS_S = 2.2  # what is refused sooner was refused by a window

# Sharing
NUDGE_SHARE = 0.5
MEAN_FELL_SHARE = 0.99
