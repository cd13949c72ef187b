// The operations for one flavour of Asio. standalone.hpp and boost.hpp include this, once each, with
//   MORTISE_NET        the namespace of Asio
//   MORTISE_NET_ERROR  its error code
//   MORTISE_NET_SLOTS  whether it knows cancellation slots: 1 or 0
//   MORTISE_WITH_NET   the namespace for what is made of it
//   MORTISE_NET_LOCK   how the lock is passed. With && the functions are the less specialised ones, where a token goes with either flavour

namespace mortise::inline MORTISE_ABI {
namespace MORTISE_WITH_NET {

namespace net = MORTISE_NET;
using error = MORTISE_NET_ERROR;

// ---- whose token it is

template <class Executor>
net::execution_context* context_of(const Executor& e) {
  using any_context = net::execution::context_as_t<net::execution_context&>;
  if constexpr (net::can_query<const Executor&, any_context>::value) {
    return &net::query(e, any_context{});
  } else if constexpr (net::can_query<const Executor&, net::execution::context_t>::value) {
    return &net::query(e, net::execution::context);
  } else if constexpr (requires { static_cast<net::execution_context&>(e.context()); }) {
    return &e.context();
  } else {
    return nullptr;
  }
}

template <class Executor>
concept executor_with_context =
    net::can_query<const Executor&, net::execution::context_as_t<net::execution_context&>>::value ||
    net::can_query<const Executor&, net::execution::context_t>::value ||
    requires(const Executor& e) { static_cast<net::execution_context&>(e.context()); };

template <class Hold>
struct signature {
  using type = void(error, Hold);
};
template <>
struct signature<void> {
  using type = void(error);
};
template <class Way>
using signature_of = typename signature<typename Way::hold>::type;

// What this flavour makes of any type that it does not know: the handler itself.
template <class Token, class Signature>
concept unknown_here = requires {
  requires std::same_as<typename net::async_result<Token, Signature>::completion_handler_type, Token>;
};

// Where this flavour runs a handler that names no executor. Later versions say: inline, which nothing can be posted to.
struct anybody {};
template <class Executor>
concept answer_of_this_flavour =
    executor_with_context<Executor> ||
    std::same_as<std::remove_cvref_t<Executor>, net::associated_executor_t<anybody>>;

template <class Token, class Signature>
concept ours = requires(const Token& t) {
  { get_associated_executor(t) } -> answer_of_this_flavour;
} || requires {
  requires executor_with_context<typename Token::executor_type>;
} || !unknown_here<Token, Signature>;

template <class Token, class Signature>
inline constexpr bool callable = false;
template <class Token, class... Args>
inline constexpr bool callable<Token, void(Args...)> = std::is_invocable_v<Token, Args...>;

template <class Token, class Way>
concept token_for =
    ours<std::decay_t<Token>, signature_of<Way>> ||
    (!says_whose_it_is<std::decay_t<Token>> && callable<std::decay_t<Token>, signature_of<Way>>);

// ---- an operation

// The waiting room of an execution context.
class room_service final : public net::execution_context::service {
 public:
  using key_type = room_service;
  inline static net::execution_context::id id;
  explicit room_service(net::execution_context& c) : net::execution_context::service{c} {}
  wait::waiting_room room;

 private:
  void shutdown() noexcept override { room.close(); }
};

template <class Executor>
wait::waiting_room* room_of(const Executor& e) {
  net::execution_context* const c = context_of(e);
  return c == nullptr ? nullptr : &net::use_service<room_service>(*c).room;
}

#if MORTISE_NET_SLOTS
// Stays in the slot for as long as nobody replaces it, longer than the operation perhaps: so it has a stop state of its own.
struct canceller {
  std::stop_source stop;
  void operator()(net::cancellation_type_t type) noexcept {
    if (type != net::cancellation_type_t::none) stop.request_stop();
  }
};
#endif

// A wait for a lock with what happens then. It competes for the lock where its handler will run, and holds nothing on its way there: who
// would hold the lock while it stands in the queue of a busy context held up everybody.
template <class Way, class Handler>
class operation final : public wait::visitor {
  using executor = net::associated_executor_t<Handler, net::system_executor>;
  using allocator =
      typename std::allocator_traits<net::associated_allocator_t<Handler>>::template rebind_alloc<operation>;
  using traits = std::allocator_traits<allocator>;

 public:
  static void start(const Way& way, Handler handler) {
    wait::waiting_room* const room = room_of(executor_of(handler));
    std::stop_token stop;
#if MORTISE_NET_SLOTS
    if (auto slot = net::get_associated_cancellation_slot(handler); slot.is_connected()) {
      std::stop_source source;
      stop = source.get_token();
      slot.template emplace<canceller>(std::move(source));
    }
#endif
    allocator a{net::get_associated_allocator(handler)};
    auto* const memory = traits::allocate(a, 1);
    auto* const me =
        new (static_cast<void*>(std::to_address(memory))) operation{room, way, std::move(handler)};
    me->begin(std::move(stop));
  }

 private:
  // Its way through the handler's executor.
  class journey {
   public:
    using allocator_type = net::associated_allocator_t<Handler>;
    explicit journey(operation& o) noexcept
        : m_operation{&o}, m_allocator{net::get_associated_allocator(o.m_handler)} {}
    journey(journey&& o) noexcept
        : m_operation{std::exchange(o.m_operation, nullptr)}, m_allocator{o.m_allocator} {}
    ~journey() {
      if (m_operation != nullptr) m_operation->drop();
    }
    allocator_type get_allocator() const noexcept { return m_allocator; }
    void operator()() { std::exchange(m_operation, nullptr)->arrive(); }

   private:
    operation* m_operation;
    allocator_type m_allocator;
  };

  operation(wait::waiting_room* room, const Way& way, Handler&& handler)
      : visitor{room},
        m_room{room},
        m_way{way},
        m_handler{std::move(handler)},
        m_work{executor_of(m_handler)} {
    step = &on_step;
  }
  ~operation() = default;

  void begin(std::stop_token stop) noexcept {
    wait::parker& me = wait::callback_parker([](void* o) { *static_cast<operation*>(o)->m_over = true; },
                                             this, *this, *this);
    who = &me;
    m_stop = std::move(stop);
    m_on_stop.emplace(m_stop, wait::wake_on_stop{&me});
    if (m_room != nullptr && !m_room->enter(*this)) {
      me.abandon();
      return destroy();
    }
    if (m_way.take_or_queue(*this)) {
      m_way.put_back();
      me.unpark();
    } else {
      note();
    }
    me.has_suspended();  // from here on it may be anywhere
  }

  static executor executor_of(const Handler& h) {
    return net::get_associated_executor(h, net::system_executor{});
  }

  void send() noexcept override {
    try {
      net::post(m_work.get_executor(), journey{*this});
    } catch (const std::exception& e) {
      fatal("an executor did not take a handler that waits for a lock: %s", e.what());
    }
  }

  void arrive() {
    bool over = false;
    m_over = &over;
    m_inside_again = false;
    run_job();
    if (over) complete();
  }

  static bool on_step(wait::waiter& n, request what) noexcept {
    auto& me = static_cast<operation&>(n);
    if (what == request::claim && !me.m_way.claim(n)) {
      if (!me.notes_its_end) me.note();
      if (!me.m_stop.stop_requested() && me.waits_again()) return false;
      me.m_stopped = true;
    }
    if (n.queued()) me.m_way.leave(n);
    if (me.notes_its_end) wait::note_end(n);
    if (me.m_inside_again) me.m_room->leave(me);
    return true;
  }

  void note() noexcept {
    notes_its_end = true;
    wait::note_wait(*this, m_way.subject());
  }

  // The job asks once more where it was woken while it asked, so it may be inside already.
  bool waits_again() noexcept {
    if (m_room == nullptr || m_inside_again) return true;
    return m_inside_again = m_room->enter(*this);
  }

  // Where the handler is to run. What it waited in is given back before, since the handler may wait again.
  void complete() {
    const Way way = m_way;
    const bool stopped = m_stopped;
    Handler handler{std::move(m_handler)};
    const auto work = std::move(m_work);
    destroy_with(net::get_associated_allocator(handler));
    const error how = stopped ? error{net::error::operation_aborted} : error{};
    if constexpr (std::is_void_v<typename Way::hold>) {
      std::move(handler)(how);
    } else {
      std::move(handler)(how, stopped ? way.nothing() : way.taken());
    }
  }

  // The handler may own the memory that its allocator gives, so it goes last.
  void destroy() noexcept override {
    const Handler handler{std::move(m_handler)};
    destroy_with(net::get_associated_allocator(handler));
  }
  void destroy_with(allocator a) noexcept {
    auto const memory = std::pointer_traits<typename traits::pointer>::pointer_to(*this);
    this->~operation();
    traits::deallocate(a, memory, 1);
  }

  wait::waiting_room* const m_room;
  [[no_unique_address]] Way m_way;
  Handler m_handler;
  net::executor_work_guard<executor> m_work;
  bool m_stopped = false;
  bool m_inside_again = false;
  bool* m_over = nullptr;  // where the job says that the wait is over
  std::stop_token m_stop;
  std::optional<wait::stop_wake> m_on_stop;
};

template <class Way>
struct initiation {
  Way way;
  template <class Handler>
  void operator()(Handler&& handler) const {
    operation<Way, std::decay_t<Handler>>::start(way, std::forward<Handler>(handler));
  }
};

template <class Token, class Way>
auto initiate(const Way& way, Token& token) {
  return net::async_initiate<Token, signature_of<Way>>(initiation<Way>{way}, token);
}

template <class Lock>
using exclusive_of = decltype(lock_access::exclusive(std::declval<Lock&>(), call_site{}));
template <class Lock>
using shared_of = decltype(lock_access::shared(std::declval<Lock&>(), call_site{}));
template <class Semaphore>
using permit_of = decltype(lock_access::permit(std::declval<Semaphore&>(), call_site{}));

}  // namespace MORTISE_WITH_NET

// See standalone.hpp.
template <class Lock, class Token>
  requires MORTISE_WITH_NET::token_for<Token, MORTISE_WITH_NET::exclusive_of<Lock>>
auto async_lock(Lock MORTISE_NET_LOCK m, Token&& token, call_site site = call_site::current()) {
  return MORTISE_WITH_NET::initiate<Token>(lock_access::exclusive(m, site), token);
}

template <class Lock, class Token>
  requires MORTISE_WITH_NET::token_for<Token, MORTISE_WITH_NET::shared_of<Lock>>
auto async_lock_shared(Lock MORTISE_NET_LOCK m, Token&& token, call_site site = call_site::current()) {
  return MORTISE_WITH_NET::initiate<Token>(lock_access::shared(m, site), token);
}

template <class Semaphore, class Token>
  requires MORTISE_WITH_NET::token_for<Token, MORTISE_WITH_NET::permit_of<Semaphore>>
auto async_acquire(Semaphore MORTISE_NET_LOCK s, Token&& token, call_site site = call_site::current()) {
  return MORTISE_WITH_NET::initiate<Token>(lock_access::permit(s, site), token);
}

}  // namespace mortise::inline MORTISE_ABI
