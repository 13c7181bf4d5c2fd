/** Starts the page: opens what the address names, or a cluster to play with. */
import { render } from 'preact';
import { App } from './shell/app.tsx';
import { openFromAddress } from './opening.ts';
import './styles.css';

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no #root.');
render(<App />, root);
void openFromAddress();
addEventListener('hashchange', () => void openFromAddress());
