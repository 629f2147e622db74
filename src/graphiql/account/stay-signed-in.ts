// The choice to stay signed in after a reload: the session is then in local storage.
import type { AuthStorage } from '../../client/index.ts';

const CHOICE = 'bandha:stay-signed-in';

export interface StaySignedIn {
  /** Storage for the client; stores the session only while the user's choice is to stay signed in. */
  storage: AuthStorage;
  /** The latest choice in any tab. @default false */
  isChosen(): boolean;
  /** Sets the choice for the next sign-in. If it is off, that sign-in also removes a stored session. */
  choose(isChosen: boolean): void;
}

/** If the browser blocks storage, the storage throws, and the client keeps the session in memory. */
export function createStaySignedIn(): StaySignedIn {
  const isChosen = () => {
    try {
      return localStorage.getItem(CHOICE) === 'on';
    } catch {
      return false; // storage is blocked by the browser
    }
  };
  return {
    isChosen,
    choose(isOn) {
      try {
        if (isOn) localStorage.setItem(CHOICE, 'on');
        else localStorage.removeItem(CHOICE);
      } catch {} // storage is blocked by the browser
    },
    storage: {
      getItem: (key) => (isChosen() ? localStorage.getItem(key) : null),
      setItem: (key, value) => (isChosen() ? localStorage.setItem(key, value) : localStorage.removeItem(key)),
      removeItem: (key) => localStorage.removeItem(key),
    },
  };
}
