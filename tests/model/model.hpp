// SPDX-License-Identifier: BSD-3-Clause
// What the interface promises of capabilities, memory, doorbells and message queues, as plainly as
// it can be said: maps and lists, one page at a time, no concern for speed. Written from the public
// API document and the errors that the hypervisor's headers promise, not from its code.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace model {

using Word = std::uint64_t;
constexpr Word page_size = 4096;

/// What a call gives: x0, and x1 and on if that is zero.
struct Answer {
    std::int64_t error = 0;
    std::vector<Word> values{};
    bool operator==(const Answer&) const = default;
};

enum class Kind { partition, cspace, space, extent, doorbell, queue };

struct Object {
    explicit Object(Kind k) : kind(k) {}
    Object(const Object&) = delete;
    virtual ~Object() = default;
    const Kind kind;
    bool configured = false;
    bool active = false;
};

struct Capability {
    std::shared_ptr<Object> object; // null: revoked
    std::uint32_t rights = 0;
    Capability* parent = nullptr;
    std::set<Capability*> children{};
};

struct Cspace final : Object {
    Cspace() : Object(Kind::cspace) {}
    ~Cspace() override { clear(); }
    /// Deletes all capabilities.
    void clear();
    Word most = 0;
    std::map<Word, Capability> slots; // by the names that the implementation gave out
};

struct Extent;

/// One page of RAM. Only its first bytes are looked at.
struct Page {
    Extent* owner = nullptr; // null: the partition
    unsigned mappings = 0;
    bool touched = false; // somebody below its owner may have written
    std::array<std::uint8_t, 16> content{};
};

struct Leaf {
    std::size_t page = 0;
    unsigned access = 0; // GH_ACCESS_*
    unsigned type = 0;
    bool operator==(const Leaf&) const = default;
};

class Machine;

struct Space final : Object {
    explicit Space(Machine&);
    ~Space() override;
    Machine& machine;
    std::map<Word, Leaf> leaves; // by page number
};

struct Extent final : Object {
    explicit Extent(Machine& m) : Object(Kind::extent), machine(m) {}
    ~Extent() override;
    Machine& machine;
    std::shared_ptr<Extent> parent;
    std::size_t first = 0, count = 0; // pages
    unsigned access = 0, type = 0;
    bool sparse = false;
};

struct Doorbell final : Object {
    Doorbell() : Object(Kind::doorbell) {}
    Word flags = 0;
};

struct Queue final : Object {
    Queue() : Object(Kind::queue) {}
    Word depth = 0, limit = 0;
    std::deque<std::vector<std::uint8_t>> messages;
};

/// A VM that makes calls.
struct Caller {
    std::shared_ptr<Cspace> cspace;
    std::shared_ptr<Space> memory;
};

class Machine {
public:
    explicit Machine(std::size_t page_count) : pages(page_count) {}

    // The calls, arguments in the document's order. A call that makes a capability is told its
    // name, as the implementation chose it; it is ignored if the call fails.
    Answer create(Caller&, Kind, Word partition, Word cspace, Word reserved, Word name);
    Answer activate(Caller&, Word cap, Word reserved);
    Answer cspace_configure(Caller&, Word cap, Word most, Word reserved);
    Answer copy(Caller&, Word from, Word cap, Word to, Word mask, Word reserved, Word name);
    Answer remove(Caller&, Word cspace, Word cap, Word reserved);
    Answer revoke(Caller&, Word cspace, Word cap, Word reserved);
    Answer revoke_children(Caller&, Word cspace, Word cap, Word reserved);
    Answer space_configure(Caller&, Word cap, Word vmid, Word reserved);
    Answer derive(Caller&, Word cap, Word parent, Word offset, Word size, Word attributes,
                  Word reserved);
    Answer donate(Caller&, Word options, Word from, Word to, Word offset, Word size, Word reserved);
    Answer modify(Caller&, Word cap, Word operation, Word offset, Word size);
    Answer map(Caller&, Word space, Word extent, Word base, Word attributes, Word flags,
               Word offset, Word size);
    Answer unmap(Caller&, Word space, Word extent, Word base, Word flags, Word offset, Word size);
    Answer update(Caller&, Word space, Word extent, Word base, Word access, Word flags, Word offset,
                  Word size);
    Answer lookup(Caller&, Word space, Word extent, Word base, Word size, Word reserved);
    Answer ring(Caller&, Word cap, Word flags, Word reserved);
    Answer hear(Caller&, Word cap, Word clear, Word reserved);
    Answer queue_configure(Caller&, Word cap, Word options, Word reserved);
    Answer send(Caller&, Word cap, Word size, Word address, Word flags, Word reserved);
    Answer receive(Caller&, Word cap, Word address, Word limit, Word reserved);
    Answer flush(Caller&, Word cap, Word reserved);
    /// No call: the VM stores one byte in its own memory.
    Answer store(Caller&, Word address, std::uint8_t value);

    /// A first capability to an object.
    static void give(Cspace&, Word name, std::shared_ptr<Object>, std::uint32_t rights);

    std::vector<Page> pages;
    std::set<Space*> spaces;

private:
    friend struct Space;
    friend struct Extent;
    /// Offset and size of a call in pages, once they are checked.
    struct Part {
        std::int64_t error = 0;
        std::size_t first = 0, count = 0;
    };
    static Part part_of(const Extent&, Word offset, Word size);
    static Part part_of(const Extent&, Word base, Word flags, Word offset, Word size);
    Page* accessible(const Caller&, Word address, unsigned access);
    void unmap_leaf(Space&, Word ipa_page);
    void unmap_everywhere(const Extent&);
    void transfer(std::size_t first, std::size_t count, Extent* to);
    std::int64_t may_transfer(std::size_t first, std::size_t count, const Extent* from) const;
    Answer donate_with_partition(Caller&, Word partition, Word extent, bool to_extent, Word offset,
                                 Word size);
    std::int64_t activate_extent(Extent&);
    std::vector<Word> matches(const Space&, const Extent&, Word base, const Part&,
                              bool partial) const;
};

} // namespace model
