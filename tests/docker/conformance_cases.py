"""Which tests run against the containers, and which cannot, with the reason; the one place that says so.

A module of tests/conformance that is not named here runs whole.
"""

# Besides all of tests/conformance.
FURTHER = ("tests.parity.exec_commands_test",)

_V6 = "published on IPv4 alone"
_EMPTY = "Docker's proxy drops empty datagrams"
_FLAGS = "starts a service with flags of its own"
_PROCESSES = "looks at processes, which are the container's"
_PROXY = "Docker's proxy accepts for a listener that is stopped; compose_test has it"
_PEER = "knows a client by its port, which is the proxy's"
_CHUNKS = f"{_PEER}; ChunksTest of compose_conformance_test has it"
_AMPLIFICATION = "its clients are off loopback, where no answer is longer than max(64, 4 x request)"
_URGENT = "Docker's proxy drops urgent bytes"
_OUTSIDE = "what the links lead to is not in the container"
_OFF = "its listeners are off by default, in the containers as well"

# Modules that do not run at all.
MODULES = {
    "chat_udp_test": "the containers' desk has a person, no automatic answer; interactive_clients_test and operator_test answer",
    "echo_chargen_test": _OFF,
    "echo_discard_test": _OFF,
    "socket_families_test": "starts a rawgate for each family; PublishedTest of compose_conformance_test goes through its table",
    "stock_clients_test": _OFF,
    "time_classic_test": _OFF,
    "time_real_clients_test": _OFF,
    "urgent_byte_test": _URGENT,
}

# By module: a class or a case that does not run, or a flag that does not matter to those that do.
CASES = {
    "echo_tcp_test": {"IdentityTest": _FLAGS},
    "echo_udp_test": {"GreetingTest.test_empty_datagram": _EMPTY, "GreetingTest.test_ipv6": _V6, "OtherRepliesTest": _FLAGS},
    "exec_descendants_test": {"GoneClientTest.test_reset_ends_the_commands_whole_tree": _PROCESSES, "StopTest": _FLAGS},
    "exec_limits_test": {
        "--command_timeout=2s": "matters to TimeLimitTest alone",
        "--output_max_bytes=2000000": "matters to OutputLimitTest alone",
        "TimeLimitTest": _FLAGS,
        "OutputLimitTest": _FLAGS,
    },
    "file_bad_input_test": {
        "--file_max_bytes=1000000": "matters to test_announced_size_is_checked_before_the_first_byte alone",
        "BadSizeTest.test_announced_size_is_checked_before_the_first_byte": _FLAGS,
        "SymlinkTest": _OUTSIDE,
    },
    "gateway_test": {
        "StopAndStartTest.test_stopped_stream_service_refuses_and_started_one_is_back_on_the_same_port": _PROXY,
        "StopAndStartTest.test_stopped_datagram_service_is_silent_and_started_one_answers": _PROXY,
    },
    "interactive_clients_test": {
        "TimeTest.test_over_both_families": _V6,
        "EchoTest.test_datagrams": _EMPTY,
    },
    "operator_test": {
        "WatchTest.test_two_messages_and_the_size_of_each": _CHUNKS,
        "WatchTest.test_two_quick_sends_show_as_they_arrived": _CHUNKS,
        "WatchTest.test_escapes_never_reach_the_terminal_raw": _CHUNKS,
    },
    "time_udp_test": {
        "TimeTest.test_empty_datagram_means_date_and_time": _EMPTY,
        "TimeTest.test_inflating_formats_are_cut_at_the_reply_limit": _AMPLIFICATION,
        "TimeTest.test_ipv6": _V6,
        "TimeTest.test_width_within_the_limit": _AMPLIFICATION,
        "TimeZoneTest": _FLAGS,
        "LocaleTest": _FLAGS,
    },
}
