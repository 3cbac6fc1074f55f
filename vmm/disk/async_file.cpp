// SPDX-License-Identifier: BSD-3-Clause
// AsyncFile: a ring of liburing's, restricted before it is enabled (io_uring_register(2)).
#include "disk/async_file.hpp"

#include <cerrno>
#include <utility>

#include "disk/iovec_cursor.hpp"

namespace vmm {
namespace {

constexpr int our_file = 0; // its index among the ring's registered files

io_uring_restriction only(std::uint16_t kind, std::uint8_t value) {
    io_uring_restriction restriction{};
    restriction.opcode = kind;
    restriction.sqe_op = value; // one place with sqe_flags
    return restriction;
}

// No operation but ours, on no file but ours; once the ring is enabled nothing is registered any
// more.
bool restrict_and_enable(io_uring& ring, int fd) {
    std::array restrictions{only(IORING_RESTRICTION_SQE_OP, IORING_OP_READV),
                            only(IORING_RESTRICTION_SQE_OP, IORING_OP_WRITEV),
                            only(IORING_RESTRICTION_SQE_OP, IORING_OP_FSYNC),
                            only(IORING_RESTRICTION_SQE_FLAGS_REQUIRED, IOSQE_FIXED_FILE)};
    return ::io_uring_register_files(&ring, &fd, 1) == 0 &&
           ::io_uring_register_restrictions(&ring, restrictions.data(), restrictions.size()) == 0 &&
           ::io_uring_enable_rings(&ring) == 0;
}

} // namespace

std::unique_ptr<AsyncFile> AsyncFile::open(int fd) {
    io_uring ring{};
    if (::io_uring_queue_init(capacity, &ring, IORING_SETUP_R_DISABLED) != 0) {
        return nullptr;
    }
    if (!restrict_and_enable(ring, fd)) {
        ::io_uring_queue_exit(&ring);
        return nullptr;
    }
    return std::unique_ptr<AsyncFile>{new AsyncFile{ring}};
}

AsyncFile::AsyncFile(const io_uring& ring) : ring_{ring} {
    for (std::uint64_t index = 0; index < capacity; ++index) {
        free_.push_back(index);
    }
}

AsyncFile::~AsyncFile() {
    cancel();
    ::io_uring_queue_exit(&ring_);
}

io_uring_sqe& AsyncFile::begin(std::uint8_t operation, std::vector<iovec> pieces,
                               std::uint64_t offset, Done done) {
    const std::uint64_t index = free_.back();
    free_.pop_back();
    Transfer& transfer = transfers_[index];
    transfer = {.pieces = std::move(pieces), .done = std::move(done)};
    // There is one: the submission queue has as many entries as there are transfers.
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    ::io_uring_prep_rw(operation, entry, our_file, transfer.pieces.data(),
                       static_cast<unsigned>(transfer.pieces.size()), offset);
    entry->flags = IOSQE_FIXED_FILE;
    entry->user_data = index;
    return *entry;
}

void AsyncFile::read(std::vector<iovec> pieces, std::uint64_t offset, Done done) {
    begin(IORING_OP_READV, std::move(pieces), offset, std::move(done));
}

void AsyncFile::write(std::vector<iovec> pieces, std::uint64_t offset, Done done) {
    begin(IORING_OP_WRITEV, std::move(pieces), offset, std::move(done));
}

void AsyncFile::sync(Done done) {
    io_uring_sqe& entry = begin(IORING_OP_FSYNC, {}, 0, std::move(done));
    entry.fsync_flags = IORING_FSYNC_DATASYNC;
}

bool AsyncFile::submit() {
    while (::io_uring_sq_ready(&ring_) != 0) {
        const int submitted = ::io_uring_submit(&ring_);
        if (submitted <= 0 && submitted != -EINTR) {
            return false;
        }
    }
    return true;
}

AsyncFile::Transfer AsyncFile::take(const io_uring_cqe& completion) {
    free_.push_back(completion.user_data);
    return std::exchange(transfers_[completion.user_data], {});
}

void AsyncFile::reap() {
    io_uring_cqe* completion = nullptr;
    while (::io_uring_peek_cqe(&ring_, &completion) == 0) {
        const std::int64_t result = completion->res;
        const Transfer transfer = take(*completion);
        ::io_uring_cqe_seen(&ring_, completion);
        transfer.done(result >= 0 &&
                      static_cast<std::uint64_t>(result) == total_length(transfer.pieces));
    }
}

bool AsyncFile::some_under_way() const {
    return free_.size() + ::io_uring_sq_ready(&ring_) < capacity;
}

void AsyncFile::cancel() {
    while (free_.size() < capacity) {
        if (!submit() && !some_under_way()) {
            continue; // the kernel is out of memory, which ends
        }
        io_uring_cqe* completion = nullptr;
        if (::io_uring_wait_cqe(&ring_, &completion) == 0) {
            take(*completion);
            ::io_uring_cqe_seen(&ring_, completion);
        }
    }
}

} // namespace vmm
