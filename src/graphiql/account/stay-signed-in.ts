// Staying signed in over a reload, if the user asks for it: the session is in local storage then, and ends with it.
import type { AuthStorage } from '../../client/index.ts';

const CHOICE = 'bandha:stay-signed-in';

export interface StaySignedIn {
  /** For the client: holds the session as long as the user has chosen so. */
  storage: AuthStorage;
  /** The last choice of any tab. @default false */
  isChosen(): boolean;
  /** The next sign-in goes by it; without it, that sign-in also removes what is stored. */
  choose(isChosen: boolean): void;
}

/** The client leaves the session in memory if storage is forbidden, which throws here. */
export function createStaySignedIn(): StaySignedIn {
  const isChosen = () => {
    try {
      return localStorage.getItem(CHOICE) === 'on';
    } catch {
      return false; // storage is forbidden
    }
  };
  return {
    isChosen,
    choose(isOn) {
      try {
        if (isOn) localStorage.setItem(CHOICE, 'on');
        else localStorage.removeItem(CHOICE);
      } catch {} // storage is forbidden
    },
    storage: {
      getItem: (key) => (isChosen() ? localStorage.getItem(key) : null),
      setItem: (key, value) => (isChosen() ? localStorage.setItem(key, value) : localStorage.removeItem(key)),
      removeItem: (key) => localStorage.removeItem(key),
    },
  };
}
