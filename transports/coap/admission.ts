/** Which device asks: its access token is in the path. */
import type { Log } from '../../actors/base/log.ts';
import { unreachable } from '../../actors/base/unreachable.ts';
import type { DeviceAuthentication } from '../../actors/claiming/device-authentication.ts';
import type { TokenGuard } from '../../actors/claiming/wrong-tokens.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import { ifUnavailable } from '../../actors/journal/unavailable.ts';
import { Code } from './codes.ts';
import { type Request, type Response, responseOf, tooManyResponse, unavailableResponse } from './request.ts';
import type { CoapDevice } from './uploads.ts';

type Admitted =
  | { readonly type: 'device'; readonly device: CoapDevice }
  | { readonly type: 'refused'; readonly response: Response };

export interface AdmissionNeeds {
  readonly settings: { readonly retryAfterSeconds: number };
  readonly claiming: DeviceAuthentication;
  readonly guard: TokenGuard;
  readonly profiles: Pick<Profiles, 'payloadRules'>;
  readonly log: Log;
}

/** Finds the device with a token, or what to answer when there is none. Rejects for bugs only. */
export type Admit = (request: Request, accessToken: string) => Promise<Admitted>;

const OTHER_TRANSPORT = "the device's profile is for another transport";

export function createAdmission({ settings, claiming, guard, profiles, log }: AdmissionNeeds): Admit {
  async function lookUp({ address }: Request, accessToken: string): Promise<Admitted> {
    const admission = await guard.admit(address, () => claiming.authenticate(accessToken));
    switch (admission.type) {
      case 'unknown':
        return refused(responseOf(Code.unauthorized));
      case 'blocked':
        return refused(tooManyResponse('too-many-wrong-tokens', admission.retryAfterMs));
      case 'admitted': {
        const payloadRules = await profiles.payloadRules(admission.device, 'COAP');
        if (payloadRules === undefined) return refused(responseOf(Code.internalServerError, OTHER_TRANSPORT));
        return { type: 'device', device: { ...admission.device, format: payloadRules.format } };
      }
      default:
        return unreachable(admission);
    }
  }

  return (request, accessToken) =>
    lookUp(request, accessToken).catch(
      ifUnavailable((error) => {
        log.warn({ err: error }, 'coap: a device could not be looked up');
        return refused(unavailableResponse(settings.retryAfterSeconds));
      }),
    );
}

function refused(response: Response): Admitted {
  return { type: 'refused', response };
}
