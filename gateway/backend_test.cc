#include "gateway/backend.h"

#include <map>
#include <vector>

#include "gateway/backend_table.h"
#include "gateway/control_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

namespace pb = control::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A name that lists what the test says.
class TestName {
 public:
  BackendOptions options() {
    const auto lookup = [state = state_](const std::string&, const std::string&) {
      absl::MutexLock lock(&state->mutex);
      ++state->lookups;
      return state->addresses;
    };
    return {.resolver = {.lookup = lookup,
                         .interval = absl::Milliseconds(10),
                         .urgent_interval = absl::Milliseconds(10)}};
  }
  // Returns once that has been looked up, and been told.
  void Lists(AddressResolver::Addresses addresses) {
    absl::MutexLock lock(&state_->mutex);
    state_->addresses = std::move(addresses);
    // The first one from now on has been told when the second begins.
    const int until = state_->lookups + 2;
    const auto told = [&] { return state_->lookups >= until; };
    EXPECT_TRUE(state_->mutex.AwaitWithTimeout(absl::Condition(&told), absl::Seconds(30)));
  }

 private:
  // Also of the last lookup, which may end after the resolver's.
  struct State {
    absl::Mutex mutex;
    AddressResolver::Addresses addresses = std::vector<std::string>();
    int lookups = 0;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

class BackendTest : public ::testing::Test {
 protected:
  ~BackendTest() override {
    if (backend_ != nullptr) backend_->Stop();
  }
  void Start(const std::string& target) {
    backend_ = std::make_unique<Backend>(BackendAddress{"echo", target}, name_.options(),
                                         [](const Backend&) {});
    backend_->Start();
  }
  std::vector<std::string> addresses() {
    std::vector<std::string> addresses;
    for (const auto& replica : backend_->replicas()) addresses.push_back(replica->address());
    return addresses;
  }
  std::vector<pb::ServiceState> states() {
    std::vector<pb::ServiceState> states;
    for (const pb::Service& row : backend_->rows()) states.push_back(row.state());
    return states;
  }
  bool Eventually(const std::vector<std::string>& wanted) {
    return gateway::Eventually([&] { return addresses() == wanted; });
  }
  // Nothing listens there.
  std::string Nowhere() {
    TestServer server{{&one_}};
    return server.target();
  }

  TestControl one_{"echo", "1"};
  TestControl two_{"echo", "2"};
  TestName name_;
  std::unique_ptr<Backend> backend_;
};

TEST_F(BackendTest, EachListedAddressIsAReplicaWhetherItAnswersOrNot) {
  TestServer server{{&one_}};
  const std::string nowhere = Nowhere();
  Start("ipv4:" + server.address() + "," + nowhere.substr(std::string("ipv4:").size()));
  std::vector<std::string> both = {server.target(), nowhere};
  std::sort(both.begin(), both.end());
  EXPECT_EQ(addresses(), both);
  EXPECT_FALSE(backend_->AllAnswered());
  ASSERT_TRUE(gateway::Eventually([&] { return backend_->Select("1").ok(); }));
  EXPECT_EQ(backend_->Select("1")->at(0)->address(), server.target());
  EXPECT_EQ(backend_->Select("")->size(), 2U);
  EXPECT_EQ(ReasonOf(backend_->Select("3").status()), "INSTANCE_NOT_FOUND");
}

TEST_F(BackendTest, BehindANameOnlyThoseThatOnceAnsweredAre) {
  TestServer server{{&one_}};
  Start("dns:///echo:50061");
  EXPECT_EQ(backend_->rows().at(0).address(), "dns:///echo:50061");
  EXPECT_EQ(ReasonOf(backend_->AbsentError()), "BACKEND_UNREACHABLE");
  name_.Lists({{server.target(), Nowhere()}});
  EXPECT_TRUE(Eventually({server.target()}));
  server.Stop();
  EXPECT_TRUE(
      gateway::Eventually([&] { return states() == std::vector{pb::SERVICE_STATE_UNREACHABLE}; }));
  EXPECT_EQ(backend_->rows().at(0).instance(), "1");
  EXPECT_EQ(backend_->rows().at(0).address(), server.target());
}

TEST_F(BackendTest, SeveralAddressesOfOneProcessAreOneReplica) {
  TestServer first{{&one_}};
  TestServer second{{&one_}};
  TestServer third{{&two_}};
  Start("dns:///echo:50061");
  name_.Lists({{first.target(), second.target(), third.target()}});
  EXPECT_TRUE(gateway::Eventually([&] { return backend_->AllAnswered(); }));
  std::vector<std::string> shown = {std::min(first.target(), second.target()), third.target()};
  std::sort(shown.begin(), shown.end());
  EXPECT_EQ(addresses(), shown);
  // The one that is left is the replica then.
  TestServer& lower = first.target() < second.target() ? first : second;
  TestServer& upper = first.target() < second.target() ? second : first;
  lower.Stop();
  shown = {upper.target(), third.target()};
  std::sort(shown.begin(), shown.end());
  EXPECT_TRUE(Eventually(shown));
}

TEST_F(BackendTest, AddressThatIsNoLongerListedStaysWhileItAnswers) {
  TestServer first{{&one_}};
  TestServer second{{&two_}};
  Start("dns:///echo:50061");
  name_.Lists({{first.target()}});
  EXPECT_TRUE(Eventually({first.target()}));
  name_.Lists({{second.target()}});
  EXPECT_TRUE(gateway::Eventually([&] { return addresses().size() == 2; }));
  first.Stop();
  EXPECT_TRUE(Eventually({second.target()}));
}

TEST_F(BackendTest, LastReplicaIsRememberedUntilAnotherAnswers) {
  TestServer first{{&one_}};
  TestServer second{{&two_}};
  Start("dns:///echo:50061");
  name_.Lists({{first.target()}});
  EXPECT_TRUE(Eventually({first.target()}));
  first.Stop();
  name_.Lists(std::vector<std::string>());
  EXPECT_THAT(addresses(), ElementsAre(first.target()));
  // What is not known changes nothing.
  name_.Lists(absl::UnavailableError("no name server"));
  EXPECT_THAT(addresses(), ElementsAre(first.target()));
  EXPECT_THAT(states(), ElementsAre(pb::SERVICE_STATE_UNREACHABLE));
  name_.Lists({{second.target()}});
  EXPECT_TRUE(Eventually({second.target()}));
}

TEST_F(BackendTest, AddressesThatNeverAnsweredMakeRoom) {
  Start("dns:///echo:50061");
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.push_back("unix:/nowhere/" + std::to_string(i));
  name_.Lists(many);
  EXPECT_THAT(addresses(), IsEmpty());
  TestServer server{{&one_}};
  name_.Lists({{server.target()}});
  EXPECT_TRUE(Eventually({server.target()}));
}

// What those who forward to a backend are told.
class ToldState {
 public:
  explicit ToldState(std::shared_ptr<UpstreamSet> set) : set_(std::move(set)) {
    subscription_ = set_->Subscribe([this](const UpstreamSet::State& state) {
      absl::MutexLock lock(&mutex_);
      state_ = state;
    });
  }
  ~ToldState() { set_->Unsubscribe(subscription_); }

  std::vector<std::string> addresses() {
    absl::MutexLock lock(&mutex_);
    return state_.addresses;
  }
  bool expecting() {
    absl::MutexLock lock(&mutex_);
    return state_.expecting;
  }

 private:
  const std::shared_ptr<UpstreamSet> set_;
  int subscription_ = 0;
  absl::Mutex mutex_;
  UpstreamSet::State state_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(BackendTest, ForwardersAreToldOfAddresses) {
  TestServer server{{&one_}};
  TestServer other{{&two_}};
  Start("dns:///echo:50061");
  ToldState told(backend_->upstreams());
  EXPECT_EQ(backend_->upstreams()->authority(), "echo:50061");
  name_.Lists({{server.target()}});
  EXPECT_THAT(told.addresses(), ElementsAre(server.target()));
  EXPECT_TRUE(Eventually({server.target()}));
  std::vector<std::string> both = {server.target(), other.target()};
  name_.Lists(both);
  std::sort(both.begin(), both.end());
  EXPECT_EQ(told.addresses(), both);
  // One that answers stays, and what is not known changes nothing.
  EXPECT_TRUE(Eventually(both));
  name_.Lists({{server.target()}});
  name_.Lists(absl::UnavailableError("no name server"));
  EXPECT_EQ(told.addresses(), both);
  other.Stop();
  name_.Lists({{server.target()}});
  EXPECT_TRUE(gateway::Eventually(
      [&] { return told.addresses() == std::vector<std::string>{server.target()}; }));
}

TEST_F(BackendTest, ForwardersExpectAReplicaUntilItsNameHasBeenLookedUp) {
  Start("dns:///echo:50061");
  {
    Backend before({"echo", "dns:///echo:50061"}, name_.options(), [](const Backend&) {});
    EXPECT_TRUE(ToldState(before.upstreams()).expecting());
  }
  ToldState told(backend_->upstreams());
  name_.Lists(std::vector<std::string>());
  EXPECT_FALSE(told.expecting());
  // And when one serves that did not.
  TestServer server{{&one_}};
  name_.Lists({{server.target()}});
  EXPECT_TRUE(gateway::Eventually([&] { return told.expecting(); }));
  server.Stop();
  EXPECT_TRUE(gateway::Eventually([&] { return !told.expecting(); }));
}

TEST(ParseBackendsTest, GatewayIsNoBackendsName) {
  EXPECT_TRUE(ParseBackends("echo=127.0.0.1:1,gateways=127.0.0.1:2").ok());
  EXPECT_EQ(ReasonOf(ParseBackends("echo=127.0.0.1:1,gateway=127.0.0.1:2").status()),
            "BAD_BACKENDS");
}

}  // namespace
}  // namespace rawgate::gateway
