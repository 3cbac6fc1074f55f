// SPDX-License-Identifier: BSD-3-Clause
// A doubly linked list whose links live in the elements: no allocation, O(1) removal.
#pragma once

namespace rt {

/// Embed one ListNode per list that an element can be on, each with its own Tag type.
template <typename Tag>
class ListNode {
public:
    ListNode() = default;
    ListNode(const ListNode&) = delete;
    ListNode& operator=(const ListNode&) = delete;

    [[nodiscard]] bool linked() const { return next_ != nullptr; }

private:
    template <typename T, typename U>
    friend class IntrusiveList;
    ListNode* previous_ = nullptr;
    ListNode* next_ = nullptr;
};

/// T derives from ListNode<Tag>. The list owns nothing; callers hold whatever lock guards it.
/// Invariant: an element is on at most one list per Tag; `linked()` tells.
template <typename T, typename Tag>
class IntrusiveList {
    using Node = ListNode<Tag>;

public:
    constexpr IntrusiveList() {
        head_.next_ = &head_;
        head_.previous_ = &head_;
    }
    IntrusiveList(const IntrusiveList&) = delete;
    IntrusiveList& operator=(const IntrusiveList&) = delete;

    [[nodiscard]] bool empty() const { return head_.next_ == &head_; }
    [[nodiscard]] T* front() { return empty() ? nullptr : element(head_.next_); }

    void push_back(T& item) { insert(item, *head_.previous_, head_); }
    void push_front(T& item) { insert(item, head_, *head_.next_); }
    void insert_before(T& position, T& item) {
        Node& next = position;
        insert(item, *next.previous_, next);
    }

    /// Removes an element; does nothing when it is on no list.
    static void remove(T& item) {
        Node& node = item;
        if (!node.linked()) {
            return;
        }
        node.previous_->next_ = node.next_;
        node.next_->previous_ = node.previous_;
        node.next_ = nullptr;
        node.previous_ = nullptr;
    }

    T* pop_front() {
        T* item = front();
        if (item != nullptr) {
            remove(*item);
        }
        return item;
    }

    class Iterator {
    public:
        explicit Iterator(Node* node) : node_(node) {}
        T& operator*() const { return *element(node_); }
        Iterator& operator++() {
            node_ = node_->next_;
            return *this;
        }
        bool operator!=(const Iterator& other) const { return node_ != other.node_; }

    private:
        Node* node_;
    };

    Iterator begin() { return Iterator(head_.next_); }
    Iterator end() { return Iterator(&head_); }

private:
    static T* element(Node* node) { return static_cast<T*>(node); }
    static void insert(T& item, Node& previous, Node& next) {
        Node& node = item;
        node.previous_ = &previous;
        node.next_ = &next;
        previous.next_ = &node;
        next.previous_ = &node;
    }

    Node head_;
};

} // namespace rt
