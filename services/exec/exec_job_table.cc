#include "services/exec/exec_job_table.h"

#include <utility>

namespace rawgate::exec {

std::shared_ptr<Job> JobTable::Add(std::shared_ptr<Job> job) {
  const uint64_t number = job->number();
  numbers_.emplace(job->id(), number);
  if (!job->spec().request_id.empty()) requests_[job->spec().request_id] = number;
  Entry& entry = entries_[number];
  entry.job = std::move(job);
  return Hold(entry);
}

const Job* JobTable::Peek(absl::string_view id) const {
  const auto number = numbers_.find(id);
  return number == numbers_.end() ? nullptr : entries_.at(number->second).job.get();
}

std::shared_ptr<Job> JobTable::Find(absl::string_view id) {
  const auto number = numbers_.find(id);
  return number == numbers_.end() ? nullptr : Hold(entries_.at(number->second));
}

std::shared_ptr<Job> JobTable::FindRequest(absl::string_view request_id) {
  const auto number = requests_.find(request_id);
  return number == requests_.end() ? nullptr : Hold(entries_.at(number->second));
}

std::vector<std::shared_ptr<Job>> JobTable::List(uint64_t before, size_t max, bool running_only) {
  std::vector<std::shared_ptr<Job>> jobs;
  for (auto entry = entries_.lower_bound(before); entry != entries_.begin() && jobs.size() < max;) {
    --entry;
    if (!running_only || !entry->second.ended) jobs.push_back(entry->second.job);
  }
  return jobs;
}

std::vector<std::shared_ptr<Job>> JobTable::Unended() const {
  std::vector<std::shared_ptr<Job>> jobs;
  for (const auto& [number, entry] : entries_) {
    if (!entry.ended) jobs.push_back(entry.job);
  }
  return jobs;
}

std::shared_ptr<Job> JobTable::Hold(Entry& entry) {
  if (entry.idle) LeaveIdle(entry);
  ++entry.holders;
  // Every holder has one of these, however often he copies it. The job itself may outlive the
  // table.
  struct Holder {
    ~Holder() {
      if (const auto table = weak.lock()) table->OnReleased(job->number());
    }
    const std::weak_ptr<JobTable> weak;
    const std::shared_ptr<Job> job;
  };
  const std::shared_ptr<Holder> holder(new Holder{weak_from_this(), entry.job});
  return {holder, entry.job.get()};
}

void JobTable::OnReleased(uint64_t number) {
  const auto entry = entries_.find(number);
  if (entry == entries_.end() || --entry->second.holders > 0 || !entry->second.ended) return;
  EnterIdle(entry->second);
  LetOutputGo();
}

void JobTable::OnEnded(const Job& job) {
  Entry& entry = entries_.at(job.number());
  entry.ended = true;
  ended_.push_back(job.number());
  if (entry.holders == 0) EnterIdle(entry);
  while (ended_.size() > options_.jobs_max) {
    const auto oldest = entries_.find(ended_.front());
    ended_.pop_front();
    if (oldest->second.idle) LeaveIdle(oldest->second);
    const Job& forgotten = *oldest->second.job;
    numbers_.erase(forgotten.id());
    const auto request = requests_.find(forgotten.spec().request_id);
    if (request != requests_.end() && request->second == oldest->first) requests_.erase(request);
    entries_.erase(oldest);
  }
  LetOutputGo();
}

void JobTable::EnterIdle(Entry& entry) {
  for (const OutputStream stream : {OutputStream::kStdout, OutputStream::kStderr}) {
    const Output& output = entry.job->output(stream);
    (output.in_file() ? entry.file : entry.memory) += output.size() - output.kept_from();
  }
  memory_ += entry.memory;
  file_ += entry.file;
  if (entry.file > 0) ++files_;
  entry.idle = true;
  entry.place = idle_.insert(idle_.end(), &entry);
}

void JobTable::LeaveIdle(Entry& entry) {
  Discount(entry);
  entry.idle = false;
  idle_.erase(entry.place);
}

void JobTable::Discount(Entry& entry) {
  if (entry.file > 0) --files_;
  memory_ -= std::exchange(entry.memory, 0);
  file_ -= std::exchange(entry.file, 0);
}

void JobTable::LetOutputGo() {
  const auto let_go = [this](uint64_t Entry::*share) {
    for (Entry* const entry : idle_) {
      if (entry->*share == 0) continue;
      Discount(*entry);
      return entry->job->LetOutputGo();
    }
  };
  while (memory_ > options_.memory_max) let_go(&Entry::memory);
  while (file_ > options_.file_max || files_ > options_.files_max) let_go(&Entry::file);
}

}  // namespace rawgate::exec
