"""Every threshold of the engine, in one place, with its unit and the reason for its value.

None of them is fitted to a data set: each follows from how tracing works (clock resolution, what a
person would call a difference) and is stated next to the number.
"""

from __future__ import annotations

from msgspec import Struct


class CompareOptions(Struct, frozen=True, kw_only=True):
    """Thresholds of a comparison; change one with `msgspec.structs.replace(DEFAULTS, name=value)`."""

    # Clocks and rounding ------------------------------------------------------------------------
    rounding_ns: int = 2_000
    """Siblings overlapping by less than this are sequential: Jaeger truncates to whole microseconds,
    start and duration separately."""

    overhang_ns: int = 2_000_000
    """A child ending at most this much after its parent is clipped, not called asynchronous or skewed:
    server spans end up to about 1 ms after their client because the response is flushed first."""

    # What counts as a difference, for two traces without a population -----------------------------
    slower_ratio: float = 1.5
    """Two healthy requests often differ by less than this factor."""

    slower_floor_ns: int = 20_000_000
    """... and by less than this: below it, scheduling and garbage collection explain most differences."""

    outweigh_ratio: float = 2.0
    """An error is no chance, and a time may be: it comes before a new error inside a request that succeeds only
    from this factor on, by which two healthy requests seldom differ."""

    hint_ratio: float = 1.15
    """Below this factor the response times are the same for all that two samples can say."""

    hint_floor_ns: int = 1_000_000
    """Differences of the response time below this are never worth a headline."""

    concentrated_share: float = 0.6
    """A modest difference is still named when one cause explains at least this share of it."""

    cause_share: float = 0.10
    """A further cause is mentioned when it explains at least this share of the difference."""

    made_up_for: float = 2.0
    """A cause of this many times the difference or more is no part of it: most of it has been made up for elsewhere."""

    # What counts as a change of one group of spans --------------------------------------------------
    group_noise_ratio: float = 0.5
    """Relative jitter of one operation's exposed time in healthy pairs."""

    group_noise_ns: int = 500_000
    """Absolute jitter of one operation: thread wake-up, socket buffers, allocation."""

    repeat_calls: int = 4
    """A call repeated at least this often more than before is a repetition, not a coincidence."""

    repeat_ratio: float = 2.0
    """... and at least this many times as often as before."""

    further_calls_share: float = 0.3
    """Fewer further calls than a repetition are named when they cost at least this share of the difference:
    below it, something else explains more."""

    overlap_drop: float = 0.75
    """Concurrency of siblings at or below this fraction of the baseline's is lost parallelism, when as few pairs of
    them still run beside each other."""

    edge_share: float = 0.6
    """A slow edge is `network` when at least this share of the client span's growth lies outside its server."""

    timeout_round_ns: tuple[int, ...] = (
        100_000_000, 200_000_000, 250_000_000, 300_000_000, 500_000_000, 750_000_000,
        1_000_000_000, 1_500_000_000, 2_000_000_000, 2_500_000_000, 3_000_000_000, 5_000_000_000,
        10_000_000_000, 15_000_000_000, 20_000_000_000, 30_000_000_000, 60_000_000_000,
        90_000_000_000, 120_000_000_000, 300_000_000_000,
    )  # fmt: skip
    """Durations people configure as timeouts."""

    timeout_slack: float = 0.03
    """A failed call ending within this fraction above a round duration sits on a timeout."""

    queue_delay_ratio: float = 3.0
    """A consumer that starts this many times later than before waited in the queue."""

    queue_delay_floor_ns: int = 20_000_000
    """... if it also waited this much longer."""

    payload_bytes: int = 100_000
    """A body that grew by less than this is sent in a millisecond on any network of a data centre."""

    payload_items: int = 100
    """Rows or items fewer than this more cost too little to explain a difference that people notice."""

    handover_ns: int = 1_000_000
    """A call that starts within this time of another's end took over what that one had held (a connection)."""

    first_call_ratio: float = 5.0
    """A first call this many times as slow as the later ones of the same group set something up."""

    first_call_others: int = 3
    """... when at least this many later calls show what is usual."""

    common_share: float = 0.8
    """A place or version is the common factor of a slowdown when it holds at least this share of the growth ..."""

    common_spread: float = 0.6
    """... and at least this share of the groups that ran there became slower."""

    common_groups: int = 3
    """Fewer slow groups than this are named one by one, unless they are all that ran there, of two services."""

    edge_noise: float = 2.0
    """An edge grew when it did by this many times its jitter: both of its ends have some."""

    edge_side_ratio: float = 4.0
    """Time lost on one side of a server span at least this many times what is lost on the other points to one end."""

    process_share: float = 0.6
    """A process is slow as a whole when at least this share of those it talks to show it."""

    waiting_share: float = 0.5
    """An operation waits when waiting that shows makes up at least this share of its growth."""

    size_ratio: float = 2.0
    """Sizes below this factor vary with every request."""

    taken_share: float = 0.5
    """A candidate that lost more than this share of its claim to others explains nothing of its own."""

    rival_share: float = 0.5
    """A further cause of more than this share of the first one's time is about as large."""

    pause_overlap: float = 0.8
    """Spans stand still together when an instant that they share, in which nothing of their process starts or ends,
    makes up at least this share of each one's growth: a pause stretches all that it meets by as long as it lasts."""

    # What is the same on both sides ------------------------------------------------------------------
    same_work: float = 0.5
    """Share of equal children that makes a differently named group the same."""

    same_request: float = 0.6
    """The same for roots, where a wrong match would compare two different requests."""

    forwarded_share: float = 0.6
    """Share of an outer layer's time that the request inside it takes, unless the layer does nothing else: a gateway
    also checks who asks, and one call of several is rarely that large a part."""

    # Population ------------------------------------------------------------------------------------
    population_min: int = 8
    """Fewer traces than this say nothing about normal variation."""

    population_samples: int = 200
    """Traces that a population keeps, the newest: more than this make its percentiles no better for people."""

    population_paths: int = 200
    """Call paths that it keeps of one trace, those that held it up longest: few requests have more."""

    unusual_mad: float = 5.0
    """A value further than this many scaled median absolute deviations from the median is unusual."""

    typical_percentile: float = 95.0
    """... if it also ranks above this percentile (or below its mirror): times have long tails, in which one healthy
    request in ten is far from the median."""

    ordinary_percentile: float = 80.0
    """Slow requests may make up this much less than all of a population and still not set what is usual: trouble
    that comes and goes is in every sample of recent requests."""

    odd_ratio: float = 2.0
    """... for a request this many times as long as the median: two healthy ones differ by as much, but from their
    middle hardly one does."""

    usual_share: float = 0.05
    """A way of working (a call made or not) that at least this share of the population shows, and two of its
    traces, is usual: what 1 request in 20 does is no change."""

    onset_traces: int = 20
    """Fewer traces cannot tell a change at some moment from chance: of 10 before and 10 after, half of the later
    ones would have to be slow."""

    onset_chance: float = 0.01
    """Chance may make up at most this share of the moments named."""

    onset_share: float = 0.2
    """After a change at least this share of requests lies above the old 95th percentile; chance gives 0.05."""

    recurrence_part: float = 0.25
    """A request shows what the suspect shows when it goes at least this far from the median towards it: one slow
    operation is not equally slow twice, but what is ten times less is something else."""

    consistent_share: float = 0.8
    """A change that at least this share of the requests after it shows is consistent, below intermittent."""

    # Two windows of requests -----------------------------------------------------------------------
    fleet_min: int = 10
    """Fewer traces of a window than this: even if all of one window were slower than all of the other, chance
    could not be ruled out for the 50 or so groups of spans that are asked about."""

    fleet_sound: int = 30
    """Fewer traces of a window than this give no high confidence: one host or one customer can dominate them."""

    fleet_traces: int = 2_000
    """Traces kept of a window, the newest: enough to see what strikes one request in a hundred."""

    fleet_paths: int = 500
    """Call paths kept of one trace of a window, those that held it up longest."""

    fleet_spans: int = 20
    """Spans of one group and trace whose attributes are read: a repeated call has the same ones again and again."""

    fleet_chance: float = 0.01
    """Chance may make up at most this share of the changes told; windows without any change give an alarm at most
    this often."""

    fleet_tails: tuple[float, ...] = (0.005, 0.007, 0.01, 0.014, 0.02, 0.028, 0.04, 0.056, 0.08, 0.125)
    """Shares of the largest values of both windows that are looked at, each about 1.4 times the one before: with
    windows of the same size, what strikes 1 to 25 per cent of the suspect's requests."""

    fleet_tail_traces: int = 6
    """Fewer of the largest values than this cannot tell: all of them in one window is 1 in 2 to the power of them."""

    fleet_clump: float = 0.05
    """When at least this share of requests need not wait for a group, the others are also asked about alone."""

    fleet_effect_share: float = 0.005
    """A group's change below this share of the median response time explains nothing that anybody notices ..."""

    fleet_effect_ratio: float = 0.03
    """... nor does one below this share of the group's own time: noisy neighbours and caches make as much ..."""

    fleet_effect_ns: int = 50_000
    """... nor one below this: the scheduler makes as much."""

    fleet_effect_calls: float = 0.02
    """The mean number of calls changed when it did by this much of a call, and by this share of it."""

    fleet_effect_errors: float = 0.005
    """The share of failing requests changed when it did by this much: half a per cent."""

    fleet_some: float = 0.5
    """A change strikes some requests, not all, when the shift of the typical one is below this share of the mean's."""

    fleet_same_calls: float = 0.2
    """A group is called as often per call of its caller as before, within this share: then its caller explains it."""

    fleet_quiet: float = 0.05
    """"No difference" is sure when the typical request cannot have changed by more than this share."""

    fleet_partial: float = 0.2
    """Spans missing in more than this share of a window's traces make its calls and times doubtful."""

    fleet_separates: float = 0.1
    """A value tells slow requests from others when its shares among both differ by at least this much: below it,
    most of the slow ones have another reason."""

    fleet_carried: float = 0.2
    """... and when at least this share of the change is left in the requests that have it: what was as slow before
    explains no change."""

    fleet_separators: int = 5
    """Values told for one cause, the most telling: further ones repeat them."""

    fleet_values: int = 2_000
    """Values of attributes that one cause is asked about, the most frequent."""

    # Bounds ----------------------------------------------------------------------------------------
    max_causes: int = 8
    max_findings: int = 200
    """Findings kept, the largest: when more than this changed, the list is no longer read but searched."""

    max_evidence: int = 6
    max_symptoms: int = 20
    """What follows from one cause, listed: a process that stands still stretches thousands of spans."""

    max_span_ids: int = 20
    """Span ids listed for one cause: enough to open, small enough for every rendering."""

    layer_depth: int = 4
    """Layers (proxy, middleware) that alignment looks through for a moved group."""

    redact: bool = True
    """Remove secrets and personal data from everything the comparison says."""

    secret_names: tuple[str, ...] = ()
    """Attributes whose names contain one of these, in any case, hold secrets, beside those that everybody has."""

    secret_patterns: tuple[str, ...] = ()
    """Regular expressions of texts that are secret wherever they stand, such as customer numbers."""


DEFAULTS = CompareOptions()
