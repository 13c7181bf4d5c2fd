/** Wrong: a follower acknowledges entries and saves them a little later, to save less often. A crash between the two loses them. */
import { Raft } from '../raft.mjs';

const SAVE_DELAY = 50;

class AcknowledgesBeforeSaving extends Raft {
  isSaving = false;

  takeEntries(entries) {
    const { persister } = this;
    this.persister = { save: () => this.saveLater() };
    super.takeEntries(entries);
    this.persister = persister;
  }

  saveLater() {
    if (this.isSaving) return;
    this.isSaving = true;
    setTimeout(() => {
      this.isSaving = false;
      if (!this.isKilled) this.persist();
    }, SAVE_DELAY);
  }
}

export const make = (...given) => new AcknowledgesBeforeSaving(...given);
