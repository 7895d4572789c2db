"""What every service is given besides its settings"""

from house import House


def environment(pid):
    with open(f"/proc/{pid}/environ", encoding="utf-8") as file:
        return dict(entry.split("=", 1) for entry in file.read().split("\0") if entry)


def test_allocators_keep_what_is_given_back_for_a_while():
    with House({"MIMALLOC_PURGE_DELAY": "7"}) as house:
        for entry in house.status():
            told = environment(entry["pid"])
            assert told["MIMALLOC_DECOMMIT_DELAY"] == "200", entry
            assert told["MIMALLOC_PURGE_DELAY"] == "7", f"what the operator says counts: {entry}"
