/** Starts the page: what the address names, the cluster that serves it (`#live`), or a cluster to play with. */
import { render } from 'preact';
import { Live } from './live/live.tsx';
import { App } from './shell/app.tsx';
import { openFromAddress } from './opening.ts';
import './styles.css';

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no #root.');
const show = (): void => {
  const isLive = location.hash === '#live';
  render(isLive ? <Live /> : <App />, root);
  if (!isLive) void openFromAddress();
};
show();
addEventListener('hashchange', show);
